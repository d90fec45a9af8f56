/* Out of memory: the monitor's own score, and whether the kernel killed a process in the container. */
#ifndef PODPY_CONMON_OOM_H
#define PODPY_CONMON_OOM_H

#include "loop.h"

struct oom {
    struct source source; /* inotify on memory.events (v2), or an eventfd (v1) */
    char old_score[16];
    int counter_fd; /* memory.events or memory.oom_control, kept open: its path may vanish first */
    int64_t kills;  /* the last count */
    int above_fd;   /* memory.events of a cgroup above the container's own: systemd may remove that one before we look */
    int64_t kills_above;
    bool seen;
};

/* Protects the monitor (score -1000, if allowed); the runtime gets the old score back. */
void oom_protect(struct oom *oom);
void oom_restore_score(const struct oom *oom);

/* Watches the cgroup of the container's process; does nothing if it has no memory controller. */
void oom_watch(struct context *ctx);

/* Reads the counter; at the first kill it creates the files `oom` in --persist-dir and the bundle. */
void oom_check(struct context *ctx);

#endif
