/* The event loop: descriptors on epoll, and a few named timers. */
#ifndef PODPY_FORWARD_LOOP_H
#define PODPY_FORWARD_LOOP_H

#include "util.h"

struct context;

/* A watched descriptor, a member of what it belongs to. `fd` is -1 while there is none. */
struct source {
    int fd;
    void (*ready)(struct context *ctx, struct source *source, uint32_t events);
};

enum timer {
    TIMER_CONNECT, /* the first of the connections that aren't made yet has waited long enough */
    TIMER_FLOWS,   /* the flow that was idle longest has been so for long enough */
    TIMER_ACCEPT,  /* accept again after descriptors or memory ran out */
    TIMER_COUNT
};

struct loop {
    int epoll_fd;
    bool quit;
    int64_t now;              /* now_ms() of this turn */
    int64_t due[TIMER_COUNT]; /* `now` at which it fires; 0: not set */
    void (*fire[TIMER_COUNT])(struct context *ctx);
};

int loop_init(struct loop *loop, struct error *err);

/* Waits for `events` (EPOLL*) on the source's descriptor; -1 with errno. */
int loop_add(struct loop *loop, struct source *source, uint32_t events);
int loop_change(struct loop *loop, struct source *source, uint32_t events);

/* Ends the watching. Closing does that, too, unless another process has the socket as well. */
void loop_remove(struct loop *loop, struct source *source);

/* Sets a timer to a time of loop->now's clock. */
void loop_timer(struct loop *loop, enum timer timer, int64_t due, void (*fire)(struct context *ctx));
bool loop_timer_set(const struct loop *loop, enum timer timer);

/* Dispatches until loop->quit. */
int loop_run(struct context *ctx, struct error *err);

#endif
