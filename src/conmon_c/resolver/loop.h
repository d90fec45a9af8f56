/* The event loop: descriptors on epoll, level-triggered. */
#ifndef PODPY_RESOLVER_LOOP_H
#define PODPY_RESOLVER_LOOP_H

#include <stdint.h>

struct context;

/* A watched descriptor, part of what owns it. `fd` is -1 while there is none; all zero is none, too, since 0 is
   /dev/null. */
struct source {
    int fd;
    void (*ready)(struct context *ctx, struct source *source, uint32_t events);
};

#define OWNER(source, type, member) ((type *)(void *)((char *)(source) - offsetof(type, member)))

/* Takes over the descriptor: it is closed if it can't be watched. Returns 0, or -1 with errno. */
int loop_add(struct context *ctx, struct source *source, int fd, uint32_t events);
void loop_change(struct context *ctx, struct source *source, uint32_t events);
void loop_close(struct source *source);

/* Waits for events, at most until the next deadline, and calls who is ready. */
void loop_step(struct context *ctx, int milliseconds);

int64_t now_ms(void);

#endif
