#define _GNU_SOURCE
#include "control.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "context.h"
#include "../common/memory.h"

#define MOST_FDS 4 /* that a message may bring; one is asked for, the others are closed */

struct request {
    char text[512];
    int fds[MOST_FDS];
    int fd_count;
};

static void hang_up(struct caller *caller)
{
    close_fd(&caller->source.fd);
    memory_give_text_back();
}

static void take_fds(struct request *request, struct msghdr *message)
{
    struct cmsghdr *header = CMSG_FIRSTHDR(message);

    if (header == NULL || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS)
        return;
    request->fd_count = (int)((header->cmsg_len - CMSG_LEN(0)) / sizeof(int));
    memcpy(request->fds, CMSG_DATA(header), (size_t)request->fd_count * sizeof(int));
}

static void close_fds(struct request *request)
{
    for (int i = 0; i < request->fd_count; i++)
        close_fd(&request->fds[i]);
}

enum { NOTHING, REQUEST, END };

/* Returns one of these, or -1 with what is wrong with the message. */
static int receive(int fd, struct request *request, struct error *err)
{
    union {
        struct cmsghdr align;
        char space[CMSG_SPACE(MOST_FDS * sizeof(int))];
    } control;
    struct iovec part = {.iov_base = request->text, .iov_len = sizeof(request->text) - 1};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control,
                             .msg_controllen = sizeof(control)};
    ssize_t n = recvmsg(fd, &message, MSG_CMSG_CLOEXEC);

    request->fd_count = 0;
    if (n < 0 && errno == EAGAIN)
        return NOTHING;
    if (n <= 0)
        return END;
    take_fds(request, &message);
    request->text[n] = '\0';
    if ((message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0 || strlen(request->text) != (size_t)n)
        return fail(err, "that is no request");
    return REQUEST;
}

static int add(struct context *ctx, struct request *request, char *rest, struct error *err)
{
    const char *protocol = next_word(&rest);
    const char *port = next_word(&rest);

    if (request->fd_count != 1)
        return fail(err, "add comes with one descriptor");
    if (listeners_add(ctx, request->fds[0], protocol, port, err) < 0)
        return -1;
    request->fd_count = 0; /* it's the listener's now */
    return 0;
}

static int remove_listener(struct context *ctx, char *rest, struct error *err)
{
    const char *protocol = next_word(&rest);
    const char *address = next_word(&rest);

    return listeners_remove(ctx, protocol, address, next_word(&rest), err);
}

static int change_target(struct context *ctx, char *rest, struct error *err)
{
    if (target_parse(&ctx->target, rest, err) < 0)
        return -1;
    tcp_target_changed(ctx);
    udp_forget(ctx, NULL);
    return 0;
}

static int obey(struct context *ctx, struct request *request, char *answer, size_t size, struct error *err)
{
    char *rest = request->text;
    const char *word = next_word(&rest);

    snprintf(answer, size, "ok");
    if (word != NULL && strcmp(word, "add") == 0)
        return add(ctx, request, rest, err);
    if (word != NULL && strcmp(word, "remove") == 0)
        return remove_listener(ctx, rest, err);
    if (word != NULL && strcmp(word, "target") == 0)
        return change_target(ctx, rest, err);
    if (word == NULL || strcmp(word, "status") != 0)
        return fail(err, "that is no request");
    snprintf(answer, size, "ok listeners %u connections %u flows %u", ctx->listeners.slots.used, ctx->tcp.slots.used,
             ctx->udp.slots.used);
    return 0;
}

static void caller_ready(struct context *ctx, struct source *source, uint32_t events)
{
    struct caller *caller = CONTAINER_OF(source, struct caller, source);
    struct request request;
    struct error err;
    char answer[sizeof(err.text) + 16];
    int got = receive(source->fd, &request, &err);

    (void)events;
    if (got == END)
        hang_up(caller);
    if (got == END || got == NOTHING)
        return;
    if (got < 0 || obey(ctx, &request, answer, sizeof(answer), &err) < 0)
        snprintf(answer, sizeof(answer), "error %s", err.text);
    close_fds(&request);
    /* Nobody waits for one who takes no answers. */
    if (send(source->fd, answer, strlen(answer), MSG_NOSIGNAL) < 0)
        hang_up(caller);
}

static bool is_same_user(int fd)
{
    struct ucred peer;
    socklen_t size = sizeof(peer);

    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 && peer.uid == geteuid();
}

static struct caller *free_caller(struct control *control)
{
    struct caller *first = &control->callers[0];

    for (size_t i = 0; i < CALLERS; i++) {
        struct caller *caller = &control->callers[i];
        if (caller->source.fd < 0)
            return caller;
        if (caller->number < first->number)
            first = caller;
    }
    hang_up(first);
    return first;
}

static void hear(struct context *ctx, int fd)
{
    if (!is_same_user(fd)) {
        close(fd);
        return;
    }
    struct caller *caller = free_caller(&ctx->control);
    *caller = (struct caller){.source = {.fd = fd, .ready = caller_ready}, .number = ctx->control.count++};
    if (loop_add(&ctx->loop, &caller->source, EPOLLIN) < 0)
        hang_up(caller);
}

/* Edge-triggered: where no descriptor is left, a level would be told again and again. */
static void called(struct context *ctx, struct source *source, uint32_t events)
{
    int fd;

    (void)events;
    while ((fd = accept4(source->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0)
        hear(ctx, fd);
}

int control_open(struct context *ctx, int fd, struct error *err)
{
    struct control *control = &ctx->control;

    for (size_t i = 0; i < CALLERS; i++)
        control->callers[i].source.fd = -1;
    control->source = (struct source){.fd = fd, .ready = called};
    if (fd < 0)
        return 0;
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ||
        loop_add(&ctx->loop, &control->source, EPOLLIN | EPOLLET) < 0)
        return fail(err, "control socket: %m");
    return 0;
}
