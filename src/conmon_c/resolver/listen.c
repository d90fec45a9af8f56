#define _GNU_SOURCE
#include "listen.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "answer.h"
#include "forward.h"

enum { STACK_SIZE = 64 * 1024, BATCH = 32, BACKLOG = 64, SEND_BUFFER = 1 << 17 };

struct request {
    int netns;
    int family;
    int type;
    int fd; /* or -errno */
};

static int make_socket(void *argument)
{
    struct request *request = argument;

    request->fd = -1;
    if (setns(request->netns, CLONE_NEWNET) == 0)
        request->fd = socket(request->family, request->type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (request->fd < 0)
        request->fd = -errno;
    return 0;
}

/* This process stays in the host's namespace, and without a privilege there it couldn't come back: a child that shares
   memory and descriptors goes into the other one, and its socket stays there. */
int netns_socket(struct context *ctx, int family, int type)
{
    static char stack[STACK_SIZE] __attribute__((aligned(64)));
    struct request request = {.netns = ctx->netns_fd, .family = family, .type = type};
    pid_t child = clone(make_socket, stack + sizeof stack, CLONE_VM | CLONE_VFORK | CLONE_FILES | SIGCHLD, &request);

    if (child < 0)
        return -1;
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
        ;
    if (request.fd >= 0)
        return request.fd;
    errno = -request.fd;
    return -1;
}

static int bound_socket(struct context *ctx, const struct address *address, int type)
{
    struct sockaddr_storage name;
    socklen_t size = address_to_name(address, DNS_PORT, &name);
    int one = 1, room = SEND_BUFFER, error;
    int fd = netns_socket(ctx, address->family, type);

    if (fd < 0)
        return -1;
    /* The bridge may get its address after the names are written, or (IPv6) not yet have proved that it is alone. */
    if (address->family == AF_INET6) {
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
        setsockopt(fd, IPPROTO_IPV6, IPV6_FREEBIND, &one, sizeof one);
    } else {
        setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &one, sizeof one);
    }
    if (type == SOCK_STREAM) {
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof room); /* connections inherit it: an answer fits in */
    }
    if (bind(fd, (struct sockaddr *)&name, size) == 0 && (type == SOCK_DGRAM || listen(fd, BACKLOG) == 0))
        return fd;
    error = errno;
    close(fd);
    errno = error;
    return -1;
}

/* Who asks may have been named, or have started, a moment ago: what was written before the question came counts. It may
   close the listener or the connection. */
static void catch_up(struct context *ctx)
{
    ctx->events.ready(ctx, &ctx->events, EPOLLIN);
}

static void take_datagrams(struct context *ctx, struct source *source, uint32_t events)
{
    struct listener *listener = OWNER(source, struct listener, udp);
    struct address asked = listener->address;

    (void)events;
    for (int i = 0; i < BATCH; i++) {
        struct origin origin = {.listener = listener, .name_size = sizeof origin.name};
        ssize_t got = recvfrom(source->fd, ctx->packet, sizeof ctx->packet, MSG_DONTWAIT | MSG_TRUNC,
                               (struct sockaddr *)&origin.name, &origin.name_size);
        if (got < 0)
            return;
        catch_up(ctx);
        if (!address_equal(&listener->address, &asked))
            return;
        answer_query(ctx, &origin, ctx->packet, (size_t)got);
    }
}

static void client_close(struct context *ctx, struct client *client)
{
    if (client->source.fd <= 0)
        return;
    loop_close(&client->source);
    forward_forget(ctx, NULL, client);
    ctx->client_count--;
}

/* Hands the next question over if it has come completely. */
static void take_question(struct context *ctx, struct client *client)
{
    size_t size = client->have < 2 ? 0 : (size_t)(client->buffer[0] << 8 | client->buffer[1]);
    struct origin origin = {.listener = client->listener, .client = client, .name = client->name};
    uint8_t query[QUERY_SIZE];

    if (client->have >= 2 && (size < HEADER_SIZE || size > QUERY_SIZE)) {
        client_close(ctx, client);
        return;
    }
    if (client->have < 2 + size || size == 0) {
        loop_change(ctx, &client->source, EPOLLIN);
        return;
    }
    memcpy(query, client->buffer + 2, size);
    client->have -= 2 + size;
    memmove(client->buffer, client->buffer + 2 + size, client->have);
    client->waiting = true;
    client->deadline = now_ms() + IDLE_MS;
    loop_change(ctx, &client->source, 0);
    catch_up(ctx);
    if (client->source.fd > 0)
        answer_query(ctx, &origin, query, size);
}

static void take_stream(struct context *ctx, struct source *source, uint32_t events)
{
    struct client *client = OWNER(source, struct client, source);

    if (client->waiting && (events & (EPOLLHUP | EPOLLERR))) {
        client_close(ctx, client);
        return;
    }
    if (client->waiting)
        return;
    ssize_t got = recv(source->fd, client->buffer + client->have, sizeof client->buffer - client->have, MSG_DONTWAIT);
    if (got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR)) {
        client_close(ctx, client);
        return;
    }
    if (got > 0)
        client->have += (size_t)got;
    take_question(ctx, client);
}

/* A place for a connection: a free one, else that of the one that has been idle longest. NULL if this address has as
   many as it may. */
static struct client *client_place(struct context *ctx, const struct address *address)
{
    struct client *free_one = NULL, *oldest = NULL;
    size_t own = 0;

    for (size_t i = 0; i < MOST_CLIENTS; i++) {
        struct client *client = &ctx->clients[i];
        if (client->source.fd <= 0) {
            free_one = client;
            continue;
        }
        struct address other = address_of(&client->name);
        own += address_equal(&other, address);
        if (oldest == NULL || client->deadline < oldest->deadline)
            oldest = client;
    }
    if (own >= MOST_CLIENTS_EACH)
        return NULL;
    if (free_one != NULL)
        return free_one;
    client_close(ctx, oldest);
    return oldest;
}

static void take_connections(struct context *ctx, struct source *source, uint32_t events)
{
    struct listener *listener = OWNER(source, struct listener, tcp);

    (void)events;
    for (int i = 0; i < BATCH; i++) {
        struct sockaddr_storage name;
        socklen_t size = sizeof name;
        int fd = accept4(source->fd, (struct sockaddr *)&name, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0)
            return;
        struct address address = address_of(&name);
        struct client *client = client_place(ctx, &address);
        if (client == NULL) {
            close(fd);
            continue;
        }
        client->source.ready = take_stream;
        client->listener = listener;
        client->name = name;
        client->have = 0;
        client->waiting = false;
        client->deadline = now_ms() + IDLE_MS;
        if (loop_add(ctx, &client->source, fd, EPOLLIN) == 0)
            ctx->client_count++;
    }
}

static void client_reply(struct context *ctx, struct client *client, const uint8_t *message, size_t size)
{
    uint8_t length[2] = {(uint8_t)(size >> 8), (uint8_t)size};
    struct iovec parts[2] = {{length, 2}, {(void *)(uintptr_t)message, size}};
    struct msghdr header = {.msg_iov = parts, .msg_iovlen = 2};

    /* The socket's buffer has room for the longest answer. Who doesn't take it isn't waited for. */
    if (sendmsg(client->source.fd, &header, MSG_DONTWAIT | MSG_NOSIGNAL) != (ssize_t)(2 + size)) {
        client_close(ctx, client);
        return;
    }
    client->waiting = false;
    client->deadline = now_ms() + IDLE_MS;
    /* The next question may be in our buffer already: then this is an event, too. */
    loop_change(ctx, &client->source, client->have > 0 ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

void reply(struct context *ctx, const struct origin *origin, const uint8_t *message, size_t size)
{
    if (origin->client != NULL)
        client_reply(ctx, origin->client, message, size);
    else
        sendto(origin->listener->udp.fd, message, size, MSG_DONTWAIT | MSG_NOSIGNAL,
               (const struct sockaddr *)&origin->name, origin->name_size);
}

void hang_up(struct context *ctx, const struct origin *origin)
{
    if (origin->client != NULL)
        client_close(ctx, origin->client);
}

int64_t clients_expire(struct context *ctx, int64_t now)
{
    int64_t next = 0;

    for (size_t i = 0; ctx->client_count > 0 && i < MOST_CLIENTS; i++) {
        struct client *client = &ctx->clients[i];
        if (client->source.fd <= 0)
            continue;
        if (client->deadline <= now)
            client_close(ctx, client);
        else if (next == 0 || client->deadline < next)
            next = client->deadline;
    }
    return next;
}

static void listener_close(struct context *ctx, struct listener *listener)
{
    forward_forget(ctx, listener, NULL);
    for (size_t i = 0; i < MOST_CLIENTS; i++)
        if (ctx->clients[i].listener == listener)
            client_close(ctx, &ctx->clients[i]);
    loop_close(&listener->udp);
    loop_close(&listener->tcp);
    listener->address.family = 0;
}

static int listener_open(struct context *ctx, struct listener *listener, const struct address *address)
{
    int udp, tcp;

    listener->address = *address;
    listener->udp.ready = take_datagrams;
    listener->tcp.ready = take_connections;
    udp = bound_socket(ctx, address, SOCK_DGRAM);
    if (udp < 0 || loop_add(ctx, &listener->udp, udp, EPOLLIN) < 0)
        goto failed;
    tcp = bound_socket(ctx, address, SOCK_STREAM);
    if (tcp >= 0 && loop_add(ctx, &listener->tcp, tcp, EPOLLIN) == 0)
        return 0;
failed:;
    int error = errno;
    listener_close(ctx, listener);
    errno = error;
    return -1;
}

static bool is_open(struct context *ctx, const struct address *address)
{
    for (size_t i = 0; i < MOST_LISTENERS; i++)
        if (ctx->listeners[i].address.family != 0 && address_equal(&ctx->listeners[i].address, address))
            return true;
    return false;
}

static int open_missing(struct context *ctx, const struct address *address)
{
    if (is_open(ctx, address))
        return 0;
    for (size_t i = 0; i < MOST_LISTENERS; i++)
        if (ctx->listeners[i].address.family == 0)
            return listener_open(ctx, &ctx->listeners[i], address);
    errno = EMFILE;
    return -1;
}

int listeners_update(struct context *ctx, struct address *failed)
{
    const struct address *address;
    int error = 0;

    for (size_t i = 0; i < MOST_LISTENERS; i++) {
        struct listener *listener = &ctx->listeners[i];
        if (listener->address.family != 0 && !names_is_listener(ctx->names, &listener->address))
            listener_close(ctx, listener);
    }
    for (size_t i = 0; (address = names_listen(ctx->names, i)) != NULL; i++) {
        if (open_missing(ctx, address) == 0)
            continue;
        error = errno;
        if (failed != NULL)
            *failed = *address;
    }
    ctx->listen_again = error ? now_ms() + RETRY_MS : 0;
    errno = error;
    return error ? -1 : 0;
}
