#define _GNU_SOURCE
#include "forward.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <unistd.h>

#include "answer.h"
#include "listen.h"
#include "upstreams.h"

static void drop(struct context *ctx, struct pending *pending)
{
    loop_close(&pending->source);
    if (pending->stream != NULL)
        pending->stream->used = false;
    pending->stream = NULL;
    pending->used = false;
    ctx->pending_count--;
}

static void give_up(struct context *ctx, struct pending *pending)
{
    message_set_id(pending->query, pending->client_id);
    answer_code(ctx, &pending->origin, pending->query, pending->size, SERVFAIL);
    if (pending->used) /* a connection that didn't take the answer is closed, and its question forgotten */
        drop(ctx, pending);
}

static const struct address *server_of(const struct pending *pending)
{
    return &pending->servers[pending->tries % pending->server_count];
}

/* A connected socket to the server: only its answers arrive. `--dns` may be a container, which the host can't reach. */
static int ask_by(struct context *ctx, struct pending *pending, int type, uint32_t events)
{
    const struct address *server = server_of(pending);
    struct sockaddr_storage name;
    socklen_t size = address_to_name(server, DNS_PORT, &name);
    int fd;

    if (pending->own_servers && names_has(ctx->names, server))
        fd = netns_socket(ctx, server->family, type);
    else
        fd = socket(server->family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (connect(fd, (struct sockaddr *)&name, size) < 0 && errno != EINPROGRESS) {
        close(fd);
        return -1;
    }
    return loop_add(ctx, &pending->source, fd, events);
}

/* Asks the next server by UDP, until one can be asked. */
static void ask(struct context *ctx, struct pending *pending)
{
    for (; pending->tries < MOST_TRIES; pending->tries++) {
        uint16_t id;
        loop_close(&pending->source);
        if (getrandom(&id, sizeof id, GRND_NONBLOCK) != sizeof id)
            break;
        message_set_id(pending->query, id);
        if (ask_by(ctx, pending, SOCK_DGRAM, EPOLLIN) < 0)
            continue;
        if (send(pending->source.fd, pending->query, pending->size, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
            continue;
        pending->deadline = now_ms() + TRY_MS;
        return;
    }
    give_up(ctx, pending);
}

static void ask_next(struct context *ctx, struct pending *pending)
{
    if (pending->stream != NULL)
        pending->stream->used = false;
    pending->stream = NULL;
    pending->tries++;
    ask(ctx, pending);
}

/* The same server again, by TCP: its answer by UDP was cut. Returns false if that isn't possible now. */
static bool ask_by_stream(struct context *ctx, struct pending *pending)
{
    struct stream *stream = NULL;

    for (size_t i = 0; i < MOST_STREAMS && stream == NULL; i++)
        if (!ctx->streams[i].used)
            stream = &ctx->streams[i];
    if (stream == NULL)
        return false;
    loop_close(&pending->source);
    if (ask_by(ctx, pending, SOCK_STREAM, EPOLLOUT) < 0)
        return false;
    stream->used = true;
    stream->asked = false;
    stream->have = 0;
    pending->stream = stream;
    pending->deadline = now_ms() + STREAM_MS;
    return true;
}

/* Hands a server's answer on. By UDP the client gets as much as it takes: else the question and the truncation mark. */
static void deliver(struct context *ctx, struct pending *pending, uint8_t *message, size_t size)
{
    struct answer cut = {.data = ctx->answer};
    struct question question;

    message_set_id(message, pending->client_id);
    if (pending->origin.client == NULL && size > pending->udp_size) {
        message_set_id(pending->query, pending->client_id);
        question_parse(pending->query, pending->size, &question);
        answer_begin(&cut, pending->query, &question, QUERY_SIZE);
        cut.truncated = true;
        reply(ctx, &pending->origin, cut.data, answer_end(&cut, message_rcode(message)));
    } else {
        reply(ctx, &pending->origin, message, size);
    }
    if (pending->used)
        drop(ctx, pending);
}

static bool is_refusal(const uint8_t *message)
{
    enum rcode rcode = message_rcode(message);

    return rcode == SERVFAIL || rcode == REFUSED || rcode == NOTIMP;
}

static void take_answer(struct context *ctx, struct pending *pending, uint8_t *message, size_t size)
{
    if (!message_matches(message, size, pending->query, pending->size))
        return; /* forged, or late: the right one may still come */
    if (is_refusal(message) && pending->tries + 1 < pending->server_count && pending->tries + 1 < MOST_TRIES)
        ask_next(ctx, pending);
    else if (message_is_truncated(message) && pending->origin.client != NULL && pending->stream == NULL
             && ask_by_stream(ctx, pending))
        return;
    else
        deliver(ctx, pending, message, size);
}

static void take_stream(struct context *ctx, struct pending *pending)
{
    struct stream *stream = pending->stream;
    size_t wanted = sizeof stream->buffer;
    ssize_t got;

    if (!stream->asked) {
        uint8_t question[2 + QUERY_SIZE] = {(uint8_t)(pending->size >> 8), (uint8_t)pending->size};
        memcpy(question + 2, pending->query, pending->size);
        stream->asked = true;
        if (send(pending->source.fd, question, 2 + pending->size, MSG_DONTWAIT | MSG_NOSIGNAL)
            != (ssize_t)(2 + pending->size))
            ask_next(ctx, pending);
        else
            loop_change(ctx, &pending->source, EPOLLIN);
        return;
    }
    got = recv(pending->source.fd, stream->buffer + stream->have, wanted - stream->have, MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) {
        ask_next(ctx, pending);
        return;
    }
    stream->have += (size_t)got;
    if (stream->have < 2)
        return;
    wanted = (size_t)(stream->buffer[0] << 8 | stream->buffer[1]);
    if (stream->have < 2 + wanted)
        return;
    if (message_matches(stream->buffer + 2, wanted, pending->query, pending->size))
        deliver(ctx, pending, stream->buffer + 2, wanted);
    else
        ask_next(ctx, pending);
}

static void on_server(struct context *ctx, struct source *source, uint32_t events)
{
    struct pending *pending = OWNER(source, struct pending, source);
    ssize_t got;

    (void)events;
    if (pending->stream != NULL) {
        take_stream(ctx, pending);
        return;
    }
    got = recv(source->fd, ctx->packet, sizeof ctx->packet, MSG_DONTWAIT);
    if (got >= 0)
        take_answer(ctx, pending, ctx->packet, (size_t)got);
    else if (errno != EAGAIN && errno != EINTR)
        ask_next(ctx, pending); /* ECONNREFUSED and its like: nobody is there */
}

/* True if a client by UDP repeats a question: it has waited for long, but our own patience isn't at its end. */
static bool is_repeated(const struct pending *pending, const struct origin *origin, const uint8_t *query, size_t size)
{
    return pending->origin.client == NULL && origin->client == NULL && pending->client_id == message_id(query)
           && pending->size == size && memcmp(pending->query + 2, query + 2, size - 2) == 0
           && pending->origin.name_size == origin->name_size
           && memcmp(&pending->origin.name, &origin->name, origin->name_size) == 0;
}

/* A place in the table, the first that is free, so that all in use are near the beginning; NULL if there is none for
   this client, or if it repeats what is asked already (`again`). */
static struct pending *place_for(struct context *ctx, const struct origin *origin, const struct address *client,
                                 const uint8_t *query, size_t size, bool *again)
{
    struct pending *place = NULL;
    size_t left = ctx->pending_count, own = 0;

    for (size_t i = 0; i < MOST_PENDING && (left > 0 || place == NULL); i++) {
        struct pending *pending = &ctx->pending[i];
        if (!pending->used) {
            place = place ? place : pending;
            continue;
        }
        left--;
        own += address_equal(&pending->client, client);
        *again |= is_repeated(pending, origin, query, size);
    }
    return own < MOST_PER_CLIENT && !*again ? place : NULL;
}

/* The container's servers, or its networks', but not ourselves; else the host's. */
static void choose_servers(struct context *ctx, struct pending *pending, const struct view *view)
{
    pending->server_count = 0;
    for (size_t i = 0; i < view->server_count; i++)
        if (!names_is_listener(ctx->names, &view->servers[i]))
            pending->servers[pending->server_count++] = view->servers[i];
    pending->own_servers = pending->server_count > 0;
    if (pending->own_servers)
        return;
    upstreams_refresh(&ctx->upstreams);
    memcpy(pending->servers, ctx->upstreams.servers, sizeof pending->servers);
    pending->server_count = ctx->upstreams.count;
}

void forward_query(struct context *ctx, const struct origin *origin, const struct address *client,
                   const uint8_t *query, size_t size, const struct question *question, const struct view *view)
{
    bool again = false;
    struct pending *pending = place_for(ctx, origin, client, query, size, &again);

    if (again)
        return;
    if (pending == NULL) {
        answer_code(ctx, origin, query, size, SERVFAIL);
        return;
    }
    pending->used = true;
    pending->source.fd = -1;
    pending->source.ready = on_server;
    pending->origin = *origin;
    pending->client = *client;
    pending->tries = 0;
    pending->stream = NULL;
    pending->client_id = message_id(query);
    pending->udp_size = question->udp_size;
    pending->size = size;
    memcpy(pending->query, query, size);
    ctx->pending_count++;
    choose_servers(ctx, pending, view);
    ask(ctx, pending);
}

void forward_forget(struct context *ctx, const struct listener *listener, const struct client *client)
{
    size_t left = ctx->pending_count;

    for (size_t i = 0; left > 0 && i < MOST_PENDING; i++) {
        struct pending *pending = &ctx->pending[i];
        if (!pending->used)
            continue;
        left--;
        if ((listener != NULL && pending->origin.listener == listener)
            || (client != NULL && pending->origin.client == client))
            drop(ctx, pending);
    }
}

int64_t forward_expire(struct context *ctx, int64_t now)
{
    size_t left = ctx->pending_count;
    int64_t next = 0;

    for (size_t i = 0; left > 0 && i < MOST_PENDING; i++) {
        struct pending *pending = &ctx->pending[i];
        if (!pending->used)
            continue;
        left--;
        if (pending->deadline <= now)
            ask_next(ctx, pending);
        if (pending->used && (next == 0 || pending->deadline < next))
            next = pending->deadline;
    }
    return next;
}
