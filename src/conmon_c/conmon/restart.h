/* A container that has ended and is to be started again: how long that waits, and who is told.

   PERSIST_DIR/restart is there from before the exit file: "MS policy" or "MS health" (the health check has ended the
   container for a restart) while it waits MS milliseconds, "0 stop" if it must not be started again. */
#ifndef PODPY_CONMON_RESTART_H
#define PODPY_CONMON_RESTART_H

#include "loop.h"

#define RESTART_DELAY_MS 100

struct restart {
    bool forbidden; /* the user stops it */
    bool wanted;
    bool due;      /* the wait is over */
    int64_t delay; /* milliseconds */
};

/* The container has ended: decides, and writes the file. */
void restart_decide(struct context *ctx);

/* Waits. A signal (SIGTERM, say) ends the wait, and then nothing is started again. */
void restart_wait(struct context *ctx);

#endif
