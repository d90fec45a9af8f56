/* An ended container that must be started again: the wait before that, and the file with the decision.

   PERSIST_DIR/restart is written before the exit file: "MS policy" or "MS health" (the health check has ended the
   container for a restart) while waiting MS milliseconds, "0 stop" if it must not be started again. */
#ifndef PODPY_CONMON_RESTART_H
#define PODPY_CONMON_RESTART_H

#include "loop.h"

#define RESTART_DELAY_MS 100
#define RESTART_AGAIN 75 /* EX_TEMPFAIL of sysexits.h: the exit command couldn't start the container now */

struct restart {
    bool forbidden; /* the user has stopped it */
    bool leaving;   /* this monitor is being ended, for example by systemd at a shutdown */
    bool wanted;
    bool waiting;  /* in restart_wait */
    bool due;      /* the wait is over */
    int64_t delay; /* milliseconds */
};

/* The container has ended: decides, and writes the file. */
void restart_decide(struct context *ctx);

/* The monitor itself got a signal: after one that ends a process, nothing is started again. */
void restart_signal(struct context *ctx, int number);

/* Waits. A signal (for example SIGTERM) ends the wait, and then nothing is started again. */
void restart_wait(struct context *ctx);

/* The exit command has ended with this wait status: true if it is to come again after a wait that is twice as long,
   since it couldn't start the container, or was killed. */
bool restart_again(struct context *ctx, int status);

/* A line of the fifo `ctl`, "5 N 0": the policy is another one now; N: 0 no, 1 on-failure, 2 always. */
void restart_control(struct context *ctx, int number);

#endif
