#define _GNU_SOURCE
#include "clients.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "context.h"

/* Clients may expect at most 8,192 bytes after the stream's number (Podman's buffer). Less is better: with
   bookkeeping, a packet of 8,192 bytes takes 16 kB in the kernel, one of this size 8 kB; measured: 12 % less CPU
   time. */
#define PACKET_DATA 7680
#define SPILL_SIZE ((size_t)8 << 20)
#define SPILL_HIGH ((size_t)4 << 20)
#define LAG_MS 250
#define STALL_CHECK_MS 100
#define BATCH 16

static void client_ready(struct context *ctx, struct source *source, uint32_t events);

static struct client *add_client(struct context *ctx, int fd, bool primary)
{
    for (size_t i = 0; i < CLIENTS_MAX; i++) {
        struct client *client = &ctx->clients.slots[i];
        if (client->source.fd >= 0)
            continue;
        *client = (struct client){.source = {.fd = fd, .ready = client_ready},
                                  .primary = primary, .input_open = true, .progress = now_ms()};
        ctx->clients.count++;
        loop_watch(&ctx->loop, &client->source, input_ready(&ctx->input) ? EPOLLIN : 0);
        return client;
    }
    return NULL;
}

static void update_events(struct context *ctx, struct client *client)
{
    uint32_t in = client->input_open && input_ready(&ctx->input) ? EPOLLIN : 0;

    loop_watch(&ctx->loop, &client->source, in | (client->writing ? EPOLLOUT : 0));
}

static bool holds_up(const struct client *client)
{
    size_t waiting = client->end - client->begin;

    if (client->source.fd < 0 || waiting == 0)
        return false;
    return client->spilling ? waiting > SPILL_HIGH : true;
}

static void check_stalled(struct context *ctx);

/* Returns whether any client makes the container wait; sets the timer that ends the wait. */
static void update_blocked(struct context *ctx)
{
    bool blocked = false;
    bool limited = false; /* a client that may be cut off makes it wait */

    for (size_t i = 0; i < CLIENTS_MAX; i++) {
        const struct client *client = &ctx->clients.slots[i];
        if (!holds_up(client))
            continue;
        blocked = true;
        limited = limited || !client->primary;
    }
    if (limited && !loop_timer_set(&ctx->loop, TIMER_STALL))
        loop_timer(&ctx->loop, TIMER_STALL, STALL_CHECK_MS, check_stalled);
    if (blocked != ctx->clients.blocked) {
        ctx->clients.blocked = blocked;
        output_update(ctx);
    }
}

static void drop(struct context *ctx, struct client *client)
{
    bool had_input = client->input_open;
    bool others = false;
    char rest;

    /* Closing a socket with unread packets makes the peer's next read fail with ECONNRESET before it gets our last
       packets. So stop receiving, and empty it. */
    shutdown(client->source.fd, SHUT_RD);
    while (recv(client->source.fd, &rest, 1, MSG_DONTWAIT) > 0)
        ;
    loop_close(&ctx->loop, &client->source);
    if (client->spill != NULL)
        munmap(client->spill, SPILL_SIZE);
    client->spill = NULL;
    client->begin = client->end = 0;
    client->input_open = false;
    ctx->clients.count--;
    for (size_t i = 0; i < CLIENTS_MAX; i++)
        others = others || (ctx->clients.slots[i].source.fd >= 0 && ctx->clients.slots[i].input_open);
    /* The last client with input is gone. (A half-close, "end of input", was handled when it arrived.) */
    if (had_input && !others)
        input_end(ctx);
    update_blocked(ctx);
    end_check(ctx);
}

/* It takes no more output. Its socket may still hold input for the container (`echo x | podpy attach`, killed at
   once), so it is kept as a writer only. */
static void lose_output(struct context *ctx, struct client *client)
{
    if (!client->input_open) {
        drop(ctx, client);
        return;
    }
    client->output_lost = true;
    client->writing = false;
    client->begin = client->end = 0;
    update_events(ctx, client);
    update_blocked(ctx);
}

/* Sends the kept packets that fit into a client's socket. Returns how many were taken, or -1 if it is dead. */
static int send_packets(struct client *client, struct mmsghdr *packets, unsigned count)
{
    int n;

    do
        n = sendmmsg(client->source.fd, packets, count, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (n < 0 && errno == EINTR);
    if (n < 0 && (errno == EAGAIN || errno == ENOBUFS || errno == ENOMEM))
        return 0;
    if (n > 0)
        client->progress = now_ms();
    return n;
}

static int flush_spill(struct client *client)
{
    while (client->begin < client->end) {
        struct mmsghdr packets[BATCH] = {0};
        struct iovec parts[BATCH];
        size_t at = client->begin;
        unsigned count = 0;

        while (count < BATCH && at < client->end) {
            uint16_t length;
            memcpy(&length, client->spill + at, sizeof(length));
            parts[count] = (struct iovec){client->spill + at + sizeof(length), length};
            packets[count].msg_hdr.msg_iov = &parts[count];
            packets[count].msg_hdr.msg_iovlen = 1;
            at += sizeof(length) + length;
            count++;
        }
        int n = send_packets(client, packets, count);
        if (n < 0)
            return -1;
        for (int i = 0; i < n; i++)
            client->begin += sizeof(uint16_t) + parts[i].iov_len;
        if ((unsigned)n < count)
            return 0;
    }
    client->begin = client->end = 0;
    client->spilling = false;
    return 0;
}

static int spill(struct client *client, int stream, const unsigned char *data, size_t size)
{
    size_t needed = size + (size / PACKET_DATA + 1) * (sizeof(uint16_t) + 1);

    if (client->spill == NULL) {
        void *memory = mmap(NULL, SPILL_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (memory == MAP_FAILED)
            return -1;
        client->spill = memory;
    }
    if (client->end + needed > SPILL_SIZE) {
        memmove(client->spill, client->spill + client->begin, client->end - client->begin);
        client->end -= client->begin;
        client->begin = 0;
    }
    if (client->end + needed > SPILL_SIZE)
        return -1;
    while (size > 0) {
        size_t part = size < PACKET_DATA ? size : PACKET_DATA;
        uint16_t length = (uint16_t)(part + 1);
        memcpy(client->spill + client->end, &length, sizeof(length));
        client->spill[client->end + sizeof(length)] = STREAM_PACKET_ID(stream);
        memcpy(client->spill + client->end + sizeof(length) + 1, data, part);
        client->end += sizeof(length) + length;
        data += part;
        size -= part;
    }
    client->writing = true;
    return 0;
}

/* Sends directly from the pump's buffer. Returns the number of bytes taken, or -1 if the client is dead. */
static ssize_t send_direct(struct client *client, int stream, const unsigned char *data, size_t size)
{
    unsigned char id = STREAM_PACKET_ID(stream);
    size_t done = 0;

    while (done < size) {
        struct mmsghdr packets[BATCH] = {0};
        struct iovec parts[BATCH][2];
        size_t at = done;
        unsigned count = 0;

        while (count < BATCH && at < size) {
            size_t part = size - at < PACKET_DATA ? size - at : PACKET_DATA;
            parts[count][0] = (struct iovec){&id, 1};
            parts[count][1] = (struct iovec){(void *)(data + at), part}; /* sendmmsg doesn't write to it */
            packets[count].msg_hdr.msg_iov = parts[count];
            packets[count].msg_hdr.msg_iovlen = 2;
            at += part;
            count++;
        }
        int n = send_packets(client, packets, count);
        if (n < 0)
            return -1;
        for (int i = 0; i < n; i++)
            done += parts[i][1].iov_len;
        if ((unsigned)n < count)
            break;
    }
    return (ssize_t)done;
}

static void send_to(struct context *ctx, struct client *client, int stream, const unsigned char *data, size_t size)
{
    ssize_t done = 0;

    if (client->begin == client->end)
        done = send_direct(client, stream, data, size);
    if (done >= 0 && (size_t)done < size && spill(client, stream, data + done, size - (size_t)done) < 0)
        done = -1;
    if (done < 0)
        lose_output(ctx, client);
    else if (client->writing)
        update_events(ctx, client);
}

void clients_send(struct context *ctx, int stream, const unsigned char *data, size_t size)
{
    if (ctx->clients.count == 0)
        return;
    for (size_t i = 0; i < CLIENTS_MAX; i++)
        if (ctx->clients.slots[i].source.fd >= 0 && !ctx->clients.slots[i].output_lost)
            send_to(ctx, &ctx->clients.slots[i], stream, data, size);
    update_blocked(ctx);
}

static void check_stalled(struct context *ctx)
{
    int64_t now = now_ms();

    for (size_t i = 0; i < CLIENTS_MAX; i++) {
        struct client *client = &ctx->clients.slots[i];
        int64_t idle = now - client->progress;
        if (client->source.fd < 0 || client->begin == client->end || client->primary)
            continue;
        if (idle > LAG_MS)
            client->spilling = true;
        bool full = holds_up(client) || ctx->process.ended;
        if (full && client->spilling && idle > ctx->options.stall_limit * 1000) {
            message(ctx, LEVEL_WARN, "an attach client took nothing for %lld seconds: cut off",
                    (long long)ctx->options.stall_limit);
            drop(ctx, client);
        }
    }
    update_blocked(ctx);
    /* At the container's end nothing is held up any more, but the wait for slow clients must end, too. */
    if (ctx->process.ended && ctx->clients.count > 0)
        loop_timer(&ctx->loop, TIMER_STALL, STALL_CHECK_MS, check_stalled);
}

static void read_input(struct context *ctx, struct client *client, uint32_t events)
{
    ssize_t n = recv(client->source.fd, ctx->buffers->input, BUFFER_SIZE, MSG_DONTWAIT);

    if (n > 0) {
        ctx->output.used = true;
        input_take(ctx, (size_t)n);
        if (!input_ready(&ctx->input))
            clients_resume_input(ctx); /* makes them all wait */
        return;
    }
    /* ECONNRESET: it closed without reading our packets. It is reported once, before the packets that it has sent. */
    if (n < 0 && (errno == EAGAIN || errno == EINTR || errno == ECONNRESET))
        return;
    if (n < 0 || (events & EPOLLHUP) != 0) {
        drop(ctx, client);
        return;
    }
    /* A half-close: it will send no more, but still listens. */
    client->input_open = false;
    update_events(ctx, client);
    input_end(ctx);
}

static void client_ready(struct context *ctx, struct source *source, uint32_t events)
{
    struct client *client = (struct client *)source; /* its first member */

    if (client->writing && (events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0) {
        if (flush_spill(client) < 0) {
            lose_output(ctx, client);
            return;
        }
        client->writing = client->begin < client->end;
        update_events(ctx, client);
        update_blocked(ctx);
        if (!client->writing && ctx->end.flushing) {
            drop(ctx, client);
            return;
        }
    }
    if (client->input_open && input_ready(&ctx->input) && (events & (EPOLLIN | EPOLLHUP)) != 0)
        read_input(ctx, client, events);
    else if ((events & EPOLLHUP) != 0 && client->input_open)
        loop_unwatch(&ctx->loop, source); /* gone, but its last packets wait for stdin: see clients_resume_input */
    else if ((events & (EPOLLHUP | EPOLLERR)) != 0)
        drop(ctx, client);
}

void clients_resume_input(struct context *ctx)
{
    for (size_t i = 0; i < CLIENTS_MAX; i++)
        if (ctx->clients.slots[i].source.fd >= 0)
            update_events(ctx, &ctx->clients.slots[i]);
}

static void accept_client(struct context *ctx, struct source *source, uint32_t events)
{
    int fd;

    (void)events;
    while ((fd = accept4(source->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0) {
        if (add_client(ctx, fd, false) == NULL) {
            message(ctx, LEVEL_WARN, "more than %d attach clients: refused", CLIENTS_MAX);
            close(fd);
        }
    }
}

void clients_accept(struct context *ctx)
{
    if (ctx->clients.listener.fd >= 0)
        accept_client(ctx, &ctx->clients.listener, EPOLLIN);
}

int clients_open(struct context *ctx, struct error *err)
{
    struct clients *clients = &ctx->clients;

    for (size_t i = 0; i < CLIENTS_MAX; i++)
        clients->slots[i].source.fd = -1;
    clients->listener.fd = -1;
    ctx->input.waiting = ctx->options.terminal;
    if (ctx->options.attach_fd >= 0)
        add_client(ctx, (int)ctx->options.attach_fd, true);
    if (ctx->options.bundle == NULL || ctx->log.passthrough)
        return 0;
    clients->listener.ready = accept_client;
    clients->listener.fd = socket_in_bundle(ctx, "attach", SOCK_SEQPACKET, 0700, err);
    if (clients->listener.fd < 0)
        return -1;
    if (listen(clients->listener.fd, 10) < 0 || loop_watch(&ctx->loop, &clients->listener, EPOLLIN) < 0)
        return fail(err, "Failed to listen on attach socket: %m");
    clients->listens = true;
    return 0;
}

static void remove_socket(struct context *ctx)
{
    FREE char *path = ctx->clients.listens ? path_join(ctx->options.bundle, "attach") : NULL;

    if (path != NULL && unlink(path) < 0 && errno != ENOENT)
        message(ctx, LEVEL_WARN, "remove %s: %m", path);
}

void clients_stop_listening(struct context *ctx)
{
    /* A client that connected before the end must get an end of file, not a reset. */
    loop_close(&ctx->loop, &ctx->clients.listener);
    remove_socket(ctx);
    if (ctx->clients.link != NULL)
        unlink(ctx->clients.link);
}

void clients_finish(struct context *ctx)
{
    for (size_t i = 0; i < CLIENTS_MAX; i++) {
        struct client *client = &ctx->clients.slots[i];
        if (client->source.fd >= 0 && client->begin == client->end)
            drop(ctx, client);
    }
    if (ctx->clients.count > 0)
        loop_timer(&ctx->loop, TIMER_STALL, STALL_CHECK_MS, check_stalled);
}

void clients_give_memory_back(struct clients *clients)
{
    for (size_t i = 0; i < CLIENTS_MAX; i++)
        if (clients->slots[i].spill != NULL && clients->slots[i].begin == clients->slots[i].end)
            madvise(clients->slots[i].spill, SPILL_SIZE, MADV_DONTNEED);
}

