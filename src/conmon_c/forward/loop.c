#define _GNU_SOURCE
#include "loop.h"

#include <errno.h>
#include <limits.h>
#include <sys/epoll.h>

#include "context.h"

int loop_init(struct loop *loop, struct error *err)
{
    loop->now = now_ms();
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    return loop->epoll_fd < 0 ? fail(err, "epoll_create1: %m") : 0;
}

int loop_add(struct loop *loop, struct source *source, uint32_t events)
{
    struct epoll_event event = {.events = events, .data = {.ptr = source}};

    return epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, source->fd, &event);
}

int loop_change(struct loop *loop, struct source *source, uint32_t events)
{
    struct epoll_event event = {.events = events, .data = {.ptr = source}};

    return epoll_ctl(loop->epoll_fd, EPOLL_CTL_MOD, source->fd, &event);
}

void loop_remove(struct loop *loop, struct source *source)
{
    epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, source->fd, NULL);
}

void loop_timer(struct loop *loop, enum timer timer, int64_t due, void (*fire)(struct context *ctx))
{
    loop->due[timer] = due;
    loop->fire[timer] = fire;
}

bool loop_timer_set(const struct loop *loop, enum timer timer)
{
    return loop->due[timer] != 0;
}

static int time_to_wait(struct context *ctx)
{
    const struct loop *loop = &ctx->loop;
    int64_t first = 0;

    if (tcp_has_more(&ctx->tcp))
        return 0;
    for (size_t i = 0; i < TIMER_COUNT; i++)
        if (loop->due[i] != 0 && (first == 0 || loop->due[i] < first))
            first = loop->due[i];
    if (first == 0)
        return -1;
    int64_t wait = first - now_ms();
    if (wait < 0)
        return 0;
    return wait > INT_MAX ? INT_MAX : (int)wait;
}

static void fire_timers(struct context *ctx)
{
    struct loop *loop = &ctx->loop;

    for (size_t i = 0; i < TIMER_COUNT; i++) {
        if (loop->due[i] == 0 || loop->due[i] > loop->now)
            continue;
        loop->due[i] = 0;
        loop->fire[i](ctx);
    }
}

int loop_run(struct context *ctx, struct error *err)
{
    struct loop *loop = &ctx->loop;
    struct epoll_event events[64];

    while (!loop->quit) {
        int n = epoll_wait(loop->epoll_fd, events, COUNT(events), time_to_wait(ctx));
        if (n < 0 && errno != EINTR)
            return fail(err, "epoll_wait: %m");
        loop->now = now_ms();
        for (int i = 0; i < n; i++) {
            struct source *source = events[i].data.ptr;
            if (source->fd >= 0) /* else an earlier event of this batch has closed it */
                source->ready(ctx, source, events[i].events);
        }
        fire_timers(ctx);
        slots_recycle(&ctx->listeners.slots);
        tcp_after_events(ctx);
        udp_after_events(ctx);
    }
    return 0;
}
