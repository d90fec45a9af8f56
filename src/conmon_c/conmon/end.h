/* What happens when the runtime has ended, and when the container has: reports, exit file, waiting caller, exit command. */
#ifndef PODPY_CONMON_END_H
#define PODPY_CONMON_END_H

#include "loop.h"

struct end {
    struct source waiter; /* --waiter-fd; -1: none, or gone */
    bool told;            /* the waiter has been written to */
    bool acknowledged;    /* ... and does the rest itself */
    bool failed;          /* the runtime failed: there is no container */
    bool flushing;        /* only clients that are behind, and the waiter, are waited for */
};

void end_prepare(struct context *ctx);

/* The runtime has ended well: the container's pid is known. */
void end_started(struct context *ctx);

/* The runtime has failed, and that was reported. */
void end_failed(struct context *ctx);

/* All after the container's end. Returns the monitor's own exit status. */
int end_run(struct context *ctx);

/* Leaves the loop if nobody is left to be waited for. */
void end_check(struct context *ctx);

#endif
