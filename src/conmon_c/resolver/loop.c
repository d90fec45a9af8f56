#define _GNU_SOURCE
#include "loop.h"

#include <errno.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "context.h"

int loop_add(struct context *ctx, struct source *source, int fd, uint32_t events)
{
    struct epoll_event event = {.events = events, .data = {.ptr = source}};

    if (epoll_ctl(ctx->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0) {
        int error = errno;
        close(fd);
        errno = error;
        return -1;
    }
    source->fd = fd;
    return 0;
}

void loop_change(struct context *ctx, struct source *source, uint32_t events)
{
    struct epoll_event event = {.events = events, .data = {.ptr = source}};

    epoll_ctl(ctx->epoll_fd, EPOLL_CTL_MOD, source->fd, &event);
}

void loop_close(struct source *source)
{
    if (source->fd > 0)
        close(source->fd); /* nobody else has it, so epoll forgets it, too */
    source->fd = -1;
}

void loop_step(struct context *ctx, int milliseconds)
{
    struct epoll_event events[32];
    int count = epoll_wait(ctx->epoll_fd, events, COUNT(events), milliseconds);

    for (int i = 0; i < count; i++) {
        struct source *source = events[i].data.ptr;
        /* An earlier event may have closed it. If its place has a new owner meanwhile, that one gets a false event: no
           handler blocks, and none takes an event for more than a hint. */
        if (source->fd > 0)
            source->ready(ctx, source, events[i].events);
    }
}

int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
