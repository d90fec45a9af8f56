#define _GNU_SOURCE
#include "loop.h"

#include <errno.h>
#include <limits.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "context.h"

int loop_init(struct loop *loop, struct error *err)
{
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    return loop->epoll_fd < 0 ? fail(err, "epoll_create1: %m") : 0;
}

void loop_free(struct loop *loop)
{
    close_fd(&loop->epoll_fd);
}

int loop_watch(struct loop *loop, struct source *source, uint32_t events)
{
    struct epoll_event event = {.events = events, .data = {.ptr = source}};

    if (source->fd < 0 || (source->added && source->events == events))
        return 0;
    if (epoll_ctl(loop->epoll_fd, source->added ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, source->fd, &event) < 0)
        return -1;
    source->added = true;
    source->events = events;
    return 0;
}

void loop_unwatch(struct loop *loop, struct source *source)
{
    if (source->added)
        epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, source->fd, NULL);
    source->added = false;
    source->events = 0;
}

void loop_close(struct loop *loop, struct source *source)
{
    loop_unwatch(loop, source);
    close_fd(&source->fd);
}

void loop_timer(struct loop *loop, enum timer timer, int64_t milliseconds, void (*fire)(struct context *ctx))
{
    loop->due[timer] = now_ms() + milliseconds;
    loop->fire[timer] = fire;
}

void loop_timer_stop(struct loop *loop, enum timer timer)
{
    loop->due[timer] = 0;
}

bool loop_timer_set(const struct loop *loop, enum timer timer)
{
    return loop->due[timer] != 0;
}

static int time_to_wait(const struct loop *loop)
{
    int64_t first = 0;

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
    int64_t now = now_ms();

    for (size_t i = 0; i < TIMER_COUNT; i++) {
        if (ctx->loop.due[i] == 0 || ctx->loop.due[i] > now)
            continue;
        ctx->loop.due[i] = 0;
        ctx->loop.fire[i](ctx);
    }
}

int loop_run(struct context *ctx, struct error *err)
{
    struct epoll_event events[16];

    ctx->loop.quit = false;
    while (!ctx->loop.quit) {
        int n = epoll_wait(ctx->loop.epoll_fd, events, COUNT(events), time_to_wait(&ctx->loop));
        if (n < 0 && errno != EINTR)
            return fail(err, "epoll_wait: %m");
        for (int i = 0; i < n; i++) {
            struct source *source = events[i].data.ptr;
            /* An earlier event of this batch may have closed it. If its slot has a new owner meanwhile, that one gets a
               false event. This is harmless: every handler reads without blocking. */
            if (source->added)
                source->ready(ctx, source, events[i].events);
        }
        fire_timers(ctx);
    }
    return 0;
}

void loop_quit(struct loop *loop)
{
    loop->quit = true;
}
