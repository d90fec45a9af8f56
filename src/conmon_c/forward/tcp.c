#define _GNU_SOURCE
#include "tcp.h"

#include <errno.h>
#include <linux/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "context.h"

#ifndef CONNECT_MS /* a test has no patience */
#define CONNECT_MS 10000 /* the container is on this machine: the kernel has answered long before */
#endif
#define RETRY_MS 100     /* after descriptors or memory ran out */
#define ACCEPTS 64       /* of one listener, before others get their turn */
#define EVENTS (EPOLLIN | EPOLLPRI | EPOLLOUT | EPOLLRDHUP | EPOLLET)
#define BROKEN (EPOLLERR | EPOLLHUP)

static const struct pipe no_pipe = {.out = -1, .in = -1};

int tcp_init(struct context *ctx, struct error *err)
{
    ctx->tcp.pipes.most = ctx->limits.pipes;
    return slots_init(&ctx->tcp.slots, sizeof(struct connection), ctx->limits.connections, err);
}

static int set_no_delay(int fd)
{
    static const int on = 1;

    return setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

int tcp_set_options(int fd)
{
    static const int on = 1;
    static const int idle = 120;    /* seconds */
    static const int interval = 30; /* seconds; after 9 without an answer (tcp(7)) it's over */

    return set_no_delay(fd) | setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on)) |
           setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle)) |
           setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof(interval));
}

static void unqueue(struct connection *connection)
{
    struct queue *queue = connection->queue;

    if (queue == NULL)
        return;
    *(connection->previous ? &connection->previous->next : &queue->first) = connection->next;
    *(connection->next ? &connection->next->previous : &queue->last) = connection->previous;
    connection->queue = NULL;
}

static void enqueue(struct queue *queue, struct connection *connection)
{
    if (connection->queue == queue)
        return;
    unqueue(connection);
    connection->next = NULL;
    connection->previous = queue->last;
    *(queue->last ? &queue->last->next : &queue->first) = connection;
    queue->last = connection;
    connection->queue = queue;
}

/* close(2) resets the connection then, and what wasn't sent yet is lost. */
static void reset_at_close(int fd)
{
    static const struct linger now = {.l_onoff = 1, .l_linger = 0};

    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

/* True if the peer has confirmed everything. A server that refuses a request sends its answer and then a reset, because
   it hasn't read all of it: an answer that is still on its way to the client must not be lost for our reset. */
static bool has_sent_all(int fd)
{
    struct tcp_info info = {0};
    socklen_t size = sizeof(info);

    getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size);
    return info.tcpi_unacked == 0 && info.tcpi_notsent_bytes == 0;
}

static void end(struct context *ctx, struct connection *connection)
{
    bool reset = connection->way[CLIENT].reset || connection->way[SERVER].reset;

    for (int i = 0; i < SIDES; i++) {
        struct side *side = &connection->side[i];
        pipes_give(&ctx->tcp.pipes, &connection->way[i].pipe);
        if (reset && side->source.fd >= 0 && has_sent_all(side->source.fd))
            reset_at_close(side->source.fd);
        close_fd(&side->source.fd);
    }
    unqueue(connection);
    slots_give(&ctx->tcp.slots, connection);
    /* Some at a time: with a crowd waiting, each end would otherwise begin and stop accepting. */
    unsigned enough = ctx->tcp.slots.most - ctx->tcp.slots.most / 16;
    if (ctx->tcp.slots.used < enough && !loop_timer_set(&ctx->loop, TIMER_ACCEPT))
        listeners_resume(ctx);
}

static void give_up(struct context *ctx, struct connection *connection)
{
    way_break(&ctx->tcp.pipes, &connection->way[CLIENT]);
    way_break(&ctx->tcp.pipes, &connection->way[SERVER]);
    end(ctx, connection);
}

static bool is_over(const struct connection *connection)
{
    const struct way *up = &connection->way[CLIENT];
    const struct way *down = &connection->way[SERVER];

    return up->ended && down->ended && up->held == 0 && down->held == 0;
}

static void pump(struct context *ctx, struct connection *connection)
{
    struct side *side = connection->side;
    struct way *way = connection->way;
    bool has_more = false;

    for (int i = 0; i < SIDES; i++) {
        if (side[!i].gone && !way[i].ended)
            way_break(&ctx->tcp.pipes, &way[i]);
        if (way_pump(&ctx->tcp.pipes, &way[i], &side[i], &side[!i]) == WAY_HAS_MORE)
            has_more = true;
    }
    if (is_over(connection)) { /* closing tells the ends */
        end(ctx, connection);
        return;
    }
    for (int i = 0; i < SIDES; i++)
        way_tell_end(&way[i], &side[!i]);
    if (has_more)
        enqueue(&ctx->tcp.more, connection);
    else
        unqueue(connection);
}

static void note(struct side *side, uint32_t events)
{
    if ((events & (EPOLLIN | EPOLLPRI | EPOLLRDHUP | BROKEN)) != 0)
        side->readable = true;
    if ((events & (EPOLLRDHUP | BROKEN)) != 0)
        side->ending = true;
    if ((events & EPOLLPRI) != 0)
        side->urgent = true;
    if ((events & (EPOLLOUT | BROKEN)) != 0)
        side->writable = true;
    if ((events & BROKEN) != 0)
        side->gone = true;
}

static void client_ready(struct context *ctx, struct source *source, uint32_t events)
{
    struct connection *connection = CONTAINER_OF(source, struct connection, side[CLIENT].source);

    note(&connection->side[CLIENT], events);
    if (connection->connected)
        pump(ctx, connection);
    else if ((events & BROKEN) != 0)
        give_up(ctx, connection);
}

/* True if a server has said something: it was there, even if it is gone before epoll has told of either. */
static bool has_been_heard(int fd)
{
    struct tcp_info info = {0};
    socklen_t size = sizeof(info);

    return getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) == 0 && info.tcpi_bytes_received > 0;
}

static void server_ready(struct context *ctx, struct source *source, uint32_t events)
{
    struct connection *connection = CONTAINER_OF(source, struct connection, side[SERVER].source);

    note(&connection->side[SERVER], events);
    if (!connection->connected && ((events & BROKEN) == 0 ? (events & EPOLLOUT) != 0 : has_been_heard(source->fd))) {
        connection->connected = true;
        unqueue(connection);
    }
    if (connection->connected)
        pump(ctx, connection);
    else if ((events & BROKEN) != 0)
        give_up(ctx, connection); /* nobody listens there */
}

static void connecting_too_long(struct context *ctx)
{
    struct queue *queue = &ctx->tcp.connecting;

    while (queue->first != NULL && queue->first->deadline <= ctx->loop.now)
        give_up(ctx, queue->first);
    if (queue->first != NULL)
        loop_timer(&ctx->loop, TIMER_CONNECT, queue->first->deadline, connecting_too_long);
}

static void await_connection(struct context *ctx, struct connection *connection)
{
    connection->deadline = ctx->loop.now + CONNECT_MS;
    enqueue(&ctx->tcp.connecting, connection);
    if (!loop_timer_set(&ctx->loop, TIMER_CONNECT))
        loop_timer(&ctx->loop, TIMER_CONNECT, connection->deadline, connecting_too_long);
}

static void accept_again(struct context *ctx)
{
    listeners_resume(ctx);
}

static void rest(struct context *ctx)
{
    listeners_pause(ctx);
    loop_timer(&ctx->loop, TIMER_ACCEPT, ctx->loop.now + RETRY_MS, accept_again);
}

static bool is_shortage(int error)
{
    return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

/* Begins the connection of an accepted client, for which there is room. The client is reset if there can't be one. */
static void begin(struct context *ctx, int client_fd, const union address *client, uint16_t port)
{
    struct connection *connection = slots_take(&ctx->tcp.slots);

    *connection = (struct connection){
        .side = {[CLIENT] = {.source = {.fd = client_fd, .ready = client_ready}},
                 [SERVER] = {.source = {.fd = -1, .ready = server_ready}}},
        .way = {{.pipe = no_pipe}, {.pipe = no_pipe}},
    };
    struct source *server = &connection->side[SERVER].source;
    server->fd = target_connect(&ctx->target, SOCK_STREAM, client, port, &connection->server);
    if (server->fd < 0 && is_shortage(errno))
        rest(ctx);
    if (server->fd < 0 || set_no_delay(server->fd) != 0 ||
        loop_add(&ctx->loop, &connection->side[CLIENT].source, EVENTS) < 0 ||
        loop_add(&ctx->loop, server, EVENTS) < 0)
        give_up(ctx, connection);
    else
        await_connection(ctx, connection);
}

void tcp_accept(struct context *ctx, struct listener *listener)
{
    for (int i = 0; i < ACCEPTS && !ctx->listeners.paused; i++) {
        union address client = {0};
        socklen_t size = sizeof(client);
        if (!slots_have_room(&ctx->tcp.slots)) {
            /* Else one has just ended, and its place is free in the next turn. */
            if (ctx->tcp.slots.used == ctx->tcp.slots.most)
                listeners_pause(ctx);
            return;
        }
        int fd = accept4(listener->source.fd, &client.any, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0) {
            if (is_shortage(errno))
                rest(ctx);
            else if (errno == EAGAIN)
                return;
            continue; /* accept(2): a client that has gone already; try the next */
        }
        address_unmap(&client);
        begin(ctx, fd, &client, listener->port);
    }
}

void tcp_target_changed(struct context *ctx)
{
    for (unsigned i = 0; i < ctx->tcp.slots.high; i++) {
        struct connection *connection = slots_at(&ctx->tcp.slots, i);
        if (connection->side[CLIENT].source.fd >= 0 && !target_has(&ctx->target, &connection->server))
            give_up(ctx, connection);
    }
}

bool tcp_has_more(const struct tcp *tcp)
{
    return tcp->more.first != NULL;
}

void tcp_after_events(struct context *ctx)
{
    struct queue *more = &ctx->tcp.more;
    struct connection *last = more->last;
    bool is_last = last == NULL;

    /* Each once: one that still has more goes to the end. */
    while (!is_last && more->first != NULL) {
        struct connection *connection = more->first;
        is_last = connection == last;
        unqueue(connection);
        pump(ctx, connection);
    }
    slots_recycle(&ctx->tcp.slots);
}
