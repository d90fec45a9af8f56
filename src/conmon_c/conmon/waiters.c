#define _GNU_SOURCE
#include "waiters.h"

#include <errno.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "context.h"

static void waiter_ready(struct context *ctx, struct source *source, uint32_t events)
{
    char byte;
    ssize_t n = recv(source->fd, &byte, 1, MSG_DONTWAIT);

    (void)events;
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    /* A byte that arrives before the line was written acknowledges nothing. */
    if (n > 0 && !ctx->waiters.told)
        return;
    if (n > 0)
        ctx->waiters.acknowledged = true;
    loop_close(&ctx->loop, source);
    end_check(ctx);
}

/* A place that nobody has, or NULL. One whose hang-up is still among the events to come has none any more. */
static struct source *free_place(struct context *ctx)
{
    struct source *slots = ctx->waiters.slots;
    char byte;

    for (size_t i = 0; i < WAITERS_MAX; i++)
        if (slots[i].fd < 0)
            return &slots[i];
    for (size_t i = 0; i < WAITERS_MAX; i++)
        if (recv(slots[i].fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0) {
            loop_close(&ctx->loop, &slots[i]);
            return &slots[i];
        }
    return NULL;
}

static bool add(struct context *ctx, int fd)
{
    struct source *slot = free_place(ctx);

    if (slot == NULL)
        return false;
    *slot = (struct source){.fd = fd, .ready = waiter_ready};
    loop_watch(&ctx->loop, slot, EPOLLIN | EPOLLRDHUP);
    return true;
}

static void accept_waiters(struct context *ctx, struct source *source, uint32_t events)
{
    int fd;

    (void)events;
    while ((fd = accept4(source->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0)
        if (!add(ctx, fd))
            close(fd); /* it learns of the end from the exit file, as with another conmon */
}

int waiters_open(struct context *ctx, struct error *err)
{
    struct waiters *waiters = &ctx->waiters;

    waiters->listener = (struct source){.fd = -1, .ready = accept_waiters};
    for (size_t i = 0; i < WAITERS_MAX; i++)
        waiters->slots[i].fd = -1;
    if (ctx->options.waiter_fd >= 0)
        add(ctx, (int)ctx->options.waiter_fd);
    if (!ctx->options.waiters || ctx->options.bundle == NULL)
        return 0;
    waiters->listener.fd = socket_in_bundle(ctx, "waiters", SOCK_STREAM, 0700, err);
    if (waiters->listener.fd < 0)
        return -1;
    if (listen(waiters->listener.fd, WAITERS_MAX) < 0 || loop_watch(&ctx->loop, &waiters->listener, EPOLLIN) < 0)
        return fail(err, "Failed to listen on the waiters' socket: %m");
    return 0;
}

void waiters_tell(struct context *ctx)
{
    struct waiters *waiters = &ctx->waiters;
    char line[256];
    int n = snprintf(line, sizeof(line),
                     "{\"exit_code\": %d, \"oom_killed\": %s, \"timed_out\": %s, \"started\": %s, \"lost_log_bytes\": %llu}\n",
                     process_exit_code(&ctx->process), ctx->oom.seen ? "true" : "false",
                     ctx->process.timed_out ? "true" : "false", ctx->end.failed ? "false" : "true",
                     (unsigned long long)log_lost(&ctx->log));

    if (waiters->listener.fd >= 0)
        accept_waiters(ctx, &waiters->listener, EPOLLIN);
    loop_close(&ctx->loop, &waiters->listener);
    waiters->told = true;
    for (size_t i = 0; i < WAITERS_MAX; i++) {
        struct source *slot = &waiters->slots[i];
        if (slot->fd >= 0 && send(slot->fd, line, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL) != n)
            loop_close(&ctx->loop, slot); /* counts as gone */
    }
}

bool waiters_done(const struct waiters *waiters)
{
    for (size_t i = 0; i < WAITERS_MAX; i++)
        if (waiters->slots[i].fd >= 0 && !waiters->acknowledged)
            return false;
    return true;
}
