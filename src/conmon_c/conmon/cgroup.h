/* The path of a process's cgroup. */
#ifndef PODPY_CONMON_CGROUP_H
#define PODPY_CONMON_CGROUP_H

#include "util.h"

#define CGROUP_ROOT "/sys/fs/cgroup"

/* The process's directory in the hierarchy of `controller` (v1), or in the unified one (controller ""). */
bool cgroup_find(pid_t pid, const char *controller, char *result, size_t size);

#endif
