/* The ends of the runtime and of the container: reports, exit file, exit command. */
#ifndef PODPY_CONMON_END_H
#define PODPY_CONMON_END_H

#include "loop.h"

struct end {
    bool failed;   /* the runtime failed: there is no container */
    bool flushing; /* waiting only for slow clients and waiters */
};

void end_prepare(struct context *ctx);

/* The runtime has succeeded: the container's pid is known. */
void end_started(struct context *ctx);

/* The runtime has failed, and that was reported. */
void end_failed(struct context *ctx);

/* Does everything after the container's end. Returns the monitor's own exit status. */
int end_run(struct context *ctx);

/* Leaves the loop if there is nothing left to wait for. */
void end_check(struct context *ctx);

#endif
