/* The event loop: descriptors (also a signalfd) on epoll, and a few named timers. */
#ifndef PODPY_CONMON_LOOP_H
#define PODPY_CONMON_LOOP_H

#include "util.h"

struct context;

/* A watched descriptor. `fd` is -1 while there is none. */
struct source {
    int fd;
    bool added;
    uint32_t events;
    void (*ready)(struct context *ctx, struct source *source, uint32_t events);
};

enum timer {
    TIMER_TIMEOUT,  /* --timeout */
    TIMER_RUNTIME,  /* the runtime takes long: start to pump, so that it can't block on a full stderr */
    TIMER_TERMINAL, /* look again at a terminal that nobody has open */
    TIMER_FOREIGN,  /* the container has ended, but isn't our child yet */
    TIMER_STALL,    /* clients that take nothing */
    TIMER_IDLE,     /* no traffic for a while: give memory back */
    TIMER_HEALTH,   /* the next health check is due */
    TIMER_STOP,     /* a container that this monitor stops takes too long */
    TIMER_PROBE,    /* a health check takes too long */
    TIMER_DEADLINE, /* the pod has run for as long as it may */
    TIMER_RESTART,  /* the wait before a restart is over */
    TIMER_COUNT
};

struct loop {
    int epoll_fd;
    bool quit;
    int64_t due[TIMER_COUNT]; /* now_ms() at which it fires; 0: not set */
    void (*fire[TIMER_COUNT])(struct context *ctx);
};

int loop_init(struct loop *loop, struct error *err);
void loop_free(struct loop *loop);

/* Waits for `events` (EPOLL*, level-triggered) on the source; hang-ups are always reported. */
int loop_watch(struct loop *loop, struct source *source, uint32_t events);
void loop_unwatch(struct loop *loop, struct source *source);

/* Unwatches and closes. */
void loop_close(struct loop *loop, struct source *source);

void loop_timer(struct loop *loop, enum timer timer, int64_t milliseconds, void (*fire)(struct context *ctx));
void loop_timer_stop(struct loop *loop, enum timer timer);
bool loop_timer_set(const struct loop *loop, enum timer timer);

/* Dispatches until loop_quit(). */
int loop_run(struct context *ctx, struct error *err);
void loop_quit(struct loop *loop);

#endif
