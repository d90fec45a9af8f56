/* Callers that wait for the container's end: that of --waiter-fd, and whoever connects to BUNDLE/waiters (--waiters).
   Each is told of the end in one line. One that answers has cleaned up, or will: then the exit command isn't run. */
#ifndef PODPY_CONMON_WAITERS_H
#define PODPY_CONMON_WAITERS_H

#include "loop.h"

#define WAITERS_MAX 8

struct waiters {
    struct source listener;           /* -1: none, or closed */
    struct source slots[WAITERS_MAX]; /* -1: free, or gone */
    bool told;                        /* they have been written to */
    bool acknowledged;                /* ... and one has acknowledged: it does the rest itself */
};

int waiters_open(struct context *ctx, struct error *err);

/* Tells all that have connected until now. Nobody can connect any more: what they would wait for is on the disk. */
void waiters_tell(struct context *ctx);

/* Returns whether one has acknowledged, or none is left that may. */
bool waiters_done(const struct waiters *waiters);

#endif
