/* Out of memory: the monitor's own score, and whether the kernel killed for lack of memory in the container. */
#ifndef PODPY_CONMON_OOM_H
#define PODPY_CONMON_OOM_H

#include "loop.h"

struct oom {
    struct source source; /* inotify on memory.events (v2), or an eventfd (v1) */
    char old_score[16];
    int counter_fd; /* memory.events or memory.oom_control, kept open: its path may vanish first */
    int64_t kills;  /* as counted before */
    bool seen;
};

/* Protects the monitor (-1000 where allowed); the runtime gets the old score back. */
void oom_protect(struct oom *oom);
void oom_restore_score(const struct oom *oom);

/* Watches the cgroup of the container's process. Quietly does nothing where there is no memory controller. */
void oom_watch(struct context *ctx);

/* Looks at the counter; at the first kill the files `oom` are made in --persist-dir and the bundle. */
void oom_check(struct context *ctx);

#endif
