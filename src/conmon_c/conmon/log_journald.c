/* journald: its native protocol, one datagram for each line. libsystemd would need many libraries for this. */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "context.h"

#define JOURNAL_SOCKET "/run/systemd/journal/socket"
#define SHORT_ID 12
#define PATIENCE 5 /* seconds */

/* "FIELD=value\n", or for a value with newlines "FIELD\n", its length as 64 bits little-endian, the value, "\n". */
static char *add_field(char *to, const char *name, const char *value)
{
    size_t length = strlen(value);

    to = stpcpy(to, name);
    if (strchr(value, '\n') == NULL) {
        *to++ = '=';
    } else {
        *to++ = '\n';
        for (int i = 0; i < 8; i++)
            *to++ = (char)((uint64_t)length >> (8 * i));
    }
    to = mempcpy(to, value, length);
    *to++ = '\n';
    return to;
}

static int make_fields(const struct options *options, struct sink *sink, struct error *err)
{
    const char *identifier = options->log_tag ? options->log_tag : options->name;
    const char *id = options->cuuid ? options->cuuid : options->cid;
    size_t size = 512 + 3 * strlen(id) + 2 * (options->name ? strlen(options->name) : 0) +
                  2 * (options->log_tag ? strlen(options->log_tag) : 0);
    char short_id[SHORT_ID + 1];

    if (strlen(id) <= SHORT_ID)
        return fail(err, "Container ID must be longer than 12 characters");
    memcpy(short_id, id, SHORT_ID);
    short_id[SHORT_ID] = '\0';
    for (int i = 0; i < options->log_labels.count; i++)
        size += strlen(options->log_labels.items[i]) + 16;
    char *to = sink->fields = malloc(size);
    if (to == NULL)
        return fail(err, "out of memory");
    to = add_field(to, "CONTAINER_ID_FULL", id);
    to = add_field(to, "CONTAINER_ID", short_id);
    if (options->log_tag != NULL)
        to = add_field(to, "CONTAINER_TAG", options->log_tag);
    if (options->name != NULL)
        to = add_field(to, "CONTAINER_NAME", options->name);
    to = add_field(to, "SYSLOG_IDENTIFIER", identifier ? identifier : short_id);
    for (int i = 0; i < options->log_labels.count; i++) {
        FREE char *label = strdup(options->log_labels.items[i]);
        char *equals = label ? strchr(label, '=') : NULL;
        if (equals == NULL)
            return fail(err, "out of memory");
        if (strchr(equals + 1, '=') != NULL)
            return fail(err, "Container labels must be in format LABEL=VALUE (none or more than one '=' present in "
                             "'%s')", label);
        *equals = '\0';
        to = add_field(to, label, equals + 1);
    }
    sink->fields_size = (size_t)(to - sink->fields);
    return 0;
}

/* Milliseconds until `end`, 0 if it is over. */
static int left(const struct timespec *end)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    long ms = (end->tv_sec - now.tv_sec) * 1000 + (end->tv_nsec - now.tv_nsec) / 1000000;
    return ms > 0 ? (int)ms : 0;
}

/* Wait until the journal's queue has room, until `end`. Others may fill it again at once. */
static bool wait_for_room(const struct sink *sink, const struct sockaddr_un *address, const struct timespec *end)
{
    struct pollfd room = {.fd = sink->socket, .events = POLLOUT};

    /* An unconnected socket always polls as writable, even if the peer's queue is full: connect first. */
    return connect(sink->socket, (const struct sockaddr *)address, sizeof(*address)) == 0 &&
           poll(&room, 1, left(end)) > 0;
}

/* journald may be slow, or restarting: its queue has ten places for everybody. It is waited for, as conmon 2.1 waits;
   but if it takes nothing for PATIENCE, lines are dropped until it takes one again: the container must not wait for it
   forever. */
static void send_entry(struct context *ctx, struct sink *sink, struct iovec *parts, size_t count)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = JOURNAL_SOCKET};
    struct msghdr packet = {.msg_name = &address, .msg_namelen = sizeof(address), .msg_iov = parts,
                            .msg_iovlen = count};
    struct timespec end = {0};

    while (sendmsg(sink->socket, &packet, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
        int problem = errno;
        if (problem == EAGAIN && !sink->failing && end.tv_sec == 0) {
            clock_gettime(CLOCK_MONOTONIC, &end);
            end.tv_sec += PATIENCE;
        }
        if (problem == EAGAIN && !sink->failing && wait_for_room(sink, &address, &end))
            continue;
        sink->file.lost += parts[count - 2].iov_len;
        errno = problem;
        if (!sink->failing)
            message(ctx, LEVEL_ERROR, "write to journald: %m; output is lost until it can be written again");
        sink->failing = true;
        return;
    }
    sink->failing = false;
}

/* The text is the kept part and the new part together. A systemd priority prefix "<N>" is removed. */
static void send_line(struct context *ctx, struct sink *sink, int stream, const unsigned char *data, size_t size,
                      bool whole)
{
    const unsigned char *kept = ctx->log.journal_lines[stream];
    size_t kept_size = sink->partial[stream];
    char head[] = "PRIORITY=6\n";
    char partial[] = "CONTAINER_PARTIAL_MESSAGE=true\n";
    char name[] = "MESSAGE\n";
    unsigned char length[8];
    bool mark = !whole && !ctx->options.no_partial_message;

    head[9] = stream == STREAM_STDERR ? '3' : '6';
    if (kept_size == 0 && size >= 3 && data[0] == '<' && data[1] >= '0' && data[1] <= '7' && data[2] == '>') {
        head[9] = (char)data[1];
        data += 3;
        size -= 3;
    }
    for (int i = 0; i < 8; i++)
        length[i] = (unsigned char)((uint64_t)(kept_size + size) >> (8 * i));
    struct iovec parts[] = {
        {head, sizeof(head) - 1},     {sink->fields, sink->fields_size},
        {partial, mark ? sizeof(partial) - 1 : 0}, {name, sizeof(name) - 1},
        {length, sizeof(length)},     {(void *)kept, kept_size},
        {(void *)data, size},         {(void *)"\n", 1},
    };
    send_entry(ctx, sink, parts, COUNT(parts));
    sink->partial[stream] = 0;
}

static void write_journald(struct context *ctx, struct sink *sink, int stream, const unsigned char *data, size_t size)
{
    bool whole;

    while (size > 0) {
        size_t length = log_line(data, size, &whole);
        size_t room = JOURNAL_LINE - sink->partial[stream];
        if (!whole && length <= room) {
            /* An entry in the journal can't be continued: wait for the rest of the line. */
            memcpy(ctx->log.journal_lines[stream] + sink->partial[stream], data, length);
            sink->partial[stream] += length;
            return;
        }
        if (length > JOURNAL_LINE) { /* a datagram must fit into the socket's buffer */
            length = JOURNAL_LINE;
            whole = false;
        }
        send_line(ctx, sink, stream, data, whole ? length - 1 : length, whole);
        data += length;
        size -= length;
    }
}

static void finish_journald(struct context *ctx, struct sink *sink)
{
    for (int stream = 0; stream < STREAMS; stream++)
        if (sink->partial[stream] > 0)
            send_line(ctx, sink, stream, NULL, 0, false);
}

int log_journald_open(struct context *ctx, struct sink *sink, struct error *err)
{
    if (ctx->log.journal_lines != NULL)
        return fail(err, "--log-path journald is given twice");
    sink->write = write_journald;
    sink->finish = finish_journald;
    sink->socket = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (sink->socket < 0)
        return fail(err, "socket for journald: %m");
    /* Unused pages cost nothing. */
    void *memory = mmap(NULL, STREAMS * JOURNAL_LINE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        return fail(err, "out of memory");
    ctx->log.journal_lines = memory;
    return make_fields(&ctx->options, sink, err);
}
