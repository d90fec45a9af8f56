#define _GNU_SOURCE
#include "listeners.h"

#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "context.h"

int listeners_init(struct context *ctx, struct error *err)
{
    return slots_init(&ctx->listeners.slots, sizeof(struct listener), ctx->limits.listeners, err);
}

static int parse_protocol(const char *text, int *type, struct error *err)
{
    if (text == NULL || (strcmp(text, "tcp") != 0 && strcmp(text, "udp") != 0))
        return fail(err, "the protocol is tcp or udp");
    *type = text[0] == 't' ? SOCK_STREAM : SOCK_DGRAM;
    return 0;
}

static int parse_port(const char *text, uint16_t *port, struct error *err)
{
    int number;

    if (!parse_number(text, 65535, &number) || number == 0)
        return fail(err, "a port is a number from 1 to 65535");
    *port = (uint16_t)number;
    return 0;
}

static int look(struct listener *listener, struct error *err)
{
    int fd = listener->source.fd;
    int type = 0;
    int listens = 0;
    socklen_t size = sizeof(type);

    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) < 0 || type != listener->type)
        return fail(err, "descriptor %d is no socket of this protocol", fd);
    size = sizeof(listener->address);
    memset(&listener->address, 0, sizeof(listener->address));
    if (getsockname(fd, &listener->address.any, &size) < 0 || address_port(&listener->address) == 0 ||
        (listener->address.any.sa_family != AF_INET && listener->address.any.sa_family != AF_INET6))
        return fail(err, "descriptor %d isn't bound to a port", fd);
    size = sizeof(listens);
    if (type == SOCK_STREAM && (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) < 0 || !listens))
        return fail(err, "descriptor %d doesn't listen", fd);
    return 0;
}

static int set(const struct listener *listener, int level, int option, int value)
{
    return setsockopt(listener->source.fd, level, option, &value, sizeof(value));
}

static int prepare(const struct listener *listener, struct error *err)
{
    int fd = listener->source.fd;
    bool is_v6 = listener->address.any.sa_family == AF_INET6;
    int failed;

    if (listener->type == SOCK_STREAM) {
        failed = tcp_set_options(fd); /* what is accepted inherits them */
    } else {
        failed = is_v6 ? set(listener, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1) : set(listener, IPPROTO_IP, IP_PKTINFO, 1);
    }
    int flags = fcntl(fd, F_GETFL);
    if (failed || flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0)
        return fail(err, "descriptor %d: %m", fd);
    return 0;
}

static void ready(struct context *ctx, struct source *source, uint32_t events)
{
    struct listener *listener = CONTAINER_OF(source, struct listener, source);

    (void)events;
    if (listener->type == SOCK_STREAM)
        tcp_accept(ctx, listener);
    else
        udp_receive(ctx, listener);
}

static uint32_t wanted_events(const struct context *ctx, const struct listener *listener)
{
    return listener->type == SOCK_STREAM && ctx->listeners.paused ? 0 : EPOLLIN;
}

int listeners_add(struct context *ctx, int fd, const char *protocol, const char *port, struct error *err)
{
    struct listener made = {.source = {.fd = fd, .ready = ready}};

    if (parse_protocol(protocol, &made.type, err) < 0 || parse_port(port, &made.port, err) < 0 ||
        look(&made, err) < 0 || prepare(&made, err) < 0)
        return -1;
    struct listener *listener = slots_take(&ctx->listeners.slots);
    if (listener == NULL)
        return fail(err, "there are %u listeners already", ctx->listeners.slots.most);
    *listener = made;
    if (loop_add(&ctx->loop, &listener->source, wanted_events(ctx, listener)) == 0)
        return 0;
    listener->source.fd = -1;
    slots_give(&ctx->listeners.slots, listener);
    return fail(err, "epoll_ctl: %m");
}

static struct listener *find(const struct listeners *listeners, int type, const union address *address)
{
    for (unsigned i = 0; i < listeners->slots.high; i++) {
        struct listener *listener = slots_at(&listeners->slots, i);
        if (listener->source.fd >= 0 && listener->type == type && address_equal(&listener->address, address))
            return listener;
    }
    return NULL;
}

int listeners_remove(struct context *ctx, const char *protocol, const char *address, const char *port,
                     struct error *err)
{
    union address place;
    uint16_t number = 0;
    int type = 0;

    if (parse_protocol(protocol, &type, err) < 0 || parse_port(port, &number, err) < 0)
        return -1;
    if (address == NULL || !address_parse(&place, address))
        return fail(err, "%s is no address", address == NULL ? "(none)" : address);
    address_set_port(&place, number);
    struct listener *listener = find(&ctx->listeners, type, &place);
    if (listener == NULL)
        return fail(err, "nothing listens there");
    if (type == SOCK_DGRAM)
        udp_forget(ctx, listener);
    loop_remove(&ctx->loop, &listener->source);
    close_fd(&listener->source.fd);
    slots_give(&ctx->listeners.slots, listener);
    return 0;
}

static void change_all(struct context *ctx, bool paused)
{
    struct listeners *listeners = &ctx->listeners;

    if (listeners->paused == paused)
        return;
    listeners->paused = paused;
    for (unsigned i = 0; i < listeners->slots.high; i++) {
        struct listener *listener = slots_at(&listeners->slots, i);
        if (listener->source.fd >= 0 && listener->type == SOCK_STREAM)
            loop_change(&ctx->loop, &listener->source, wanted_events(ctx, listener));
    }
}

void listeners_pause(struct context *ctx)
{
    change_all(ctx, true);
}

void listeners_resume(struct context *ctx)
{
    change_all(ctx, false);
}
