/* grpc.health.v1.Health/Check over plain HTTP/2 (RFC 9113), as the kubelet asks: one call on one connection.

   Of the answer only the message counts, HealthCheckResponse.status. Headers and trailers aren't decoded: an answer
   without a message is a failure in any case. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "probe.h"

#define SERVICE_SIZE 1024
#define FRAME_SIZE 16384 /* the largest that a server may send unless we allow more */
#define STREAM 1
#define SERVING 1

enum { DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY };
enum { END_STREAM = 1, ACK = 1, END_HEADERS = 4, PADDED = 8 };

static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

struct frame {
    uint32_t size, stream;
    uint8_t type, flags;
    unsigned char data[FRAME_SIZE];
};

/* A buffer that is filled from the front; it is large enough for every request. */
struct buffer {
    unsigned char data[FRAME_SIZE];
    size_t used;
};

static void put(struct buffer *to, const void *data, size_t size)
{
    memcpy(to->data + to->used, data, size);
    to->used += size;
}

static void put_byte(struct buffer *to, unsigned value)
{
    to->data[to->used++] = (unsigned char)value;
}

static void put_header(struct buffer *to, size_t size, unsigned type, unsigned flags, unsigned stream)
{
    const unsigned char header[] = {
        (unsigned char)(size >> 16), (unsigned char)(size >> 8), (unsigned char)size, (unsigned char)type,
        (unsigned char)flags, 0, 0, 0, (unsigned char)stream,
    };

    put(to, header, sizeof(header));
}

/* A string of HPACK without Huffman code. All of ours have less than 127 bytes, so the length is one byte. */
static void put_text(struct buffer *to, const char *text)
{
    put_byte(to, (unsigned)strlen(text));
    put(to, text, strlen(text));
}

/* Fields by their index in HPACK's static table (RFC 7541, appendix A); none is added to the dynamic one. */
static void put_request_headers(struct buffer *to, const struct place *place)
{
    struct buffer fields = {.used = 0};
    char authority[HOST_SIZE + PORT_SIZE + 4];
    bool is_six = strchr(place->host, ':') != NULL;

    snprintf(authority, sizeof(authority), "%s%s%s:%s", is_six ? "[" : "", place->host, is_six ? "]" : "", place->port);
    put_byte(&fields, 0x83); /* :method POST */
    put_byte(&fields, 0x86); /* :scheme http */
    put_byte(&fields, 0x04); /* :path */
    put_text(&fields, "/grpc.health.v1.Health/Check");
    put_byte(&fields, 0x01); /* :authority */
    put_text(&fields, authority);
    put(&fields, "\x0f\x10", 2); /* content-type */
    put_text(&fields, "application/grpc");
    put(&fields, "\x0f\x2b", 2); /* user-agent */
    put_text(&fields, "kube-probe/podpy");
    put_byte(&fields, 0x00);
    put_text(&fields, "te");
    put_text(&fields, "trailers");
    put_header(to, fields.used, HEADERS, END_HEADERS, STREAM);
    put(to, fields.data, fields.used);
}

/* HealthCheckRequest: field 1 is the service's name. gRPC's five bytes precede it: not compressed, and the length. */
static void put_request_message(struct buffer *to, const char *service)
{
    struct buffer message = {.used = 0};
    size_t size = strlen(service);

    if (size > 0) {
        put_byte(&message, 0x0a);
        if (size > 0x7f)
            put_byte(&message, 0x80 | (size & 0x7f));
        put_byte(&message, (unsigned)(size > 0x7f ? size >> 7 : size));
        put(&message, service, size);
    }
    put_header(to, 5 + message.used, DATA, END_STREAM, STREAM);
    put(to, (unsigned char[]){0, 0, 0, (unsigned char)(message.used >> 8), (unsigned char)message.used}, 5);
    put(to, message.data, message.used);
}

static bool ask(int fd, const struct place *place, const char *service)
{
    struct buffer request = {.used = 0};

    put(&request, preface, sizeof(preface) - 1);
    put_header(&request, 0, SETTINGS, 0, 0);
    put_request_headers(&request, place);
    put_request_message(&request, service);
    return send_all(fd, request.data, request.used);
}

/* Reads all bytes; false at the end of the file, with errno 0, or after an error. */
static bool read_all(int fd, void *data, size_t size)
{
    unsigned char *at = data;

    while (size > 0) {
        ssize_t n = read(fd, at, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n == 0)
            errno = 0;
        if (n <= 0)
            return false;
        at += n;
        size -= (size_t)n;
    }
    return true;
}

static bool read_frame(int fd, struct frame *frame)
{
    unsigned char header[9];

    if (!read_all(fd, header, sizeof(header)))
        return false;
    frame->size = (uint32_t)header[0] << 16 | (uint32_t)header[1] << 8 | header[2];
    frame->type = header[3];
    frame->flags = header[4];
    frame->stream = (uint32_t)(header[5] & 0x7f) << 24 | (uint32_t)header[6] << 16 | (uint32_t)header[7] << 8 | header[8];
    errno = EPROTO; /* for example the answer of an HTTP/1 server */
    return frame->size <= FRAME_SIZE && read_all(fd, frame->data, frame->size);
}

/* Returns HealthCheckResponse.status of a message that begins with gRPC's five bytes; 0 (UNKNOWN) if it is absent. */
static int status_of(const unsigned char *message, size_t size)
{
    /* Field 1, a varint; there is no other field. */
    return size >= 7 && message[0] == 0 && message[5] == 0x08 ? message[6] : 0;
}

/* A failed write is no result: the server's answer may have arrived already. */
static bool acknowledge(int fd, const struct frame *frame)
{
    struct buffer answer = {.used = 0};

    if ((frame->flags & ACK) || (frame->type != SETTINGS && frame->type != PING))
        return true;
    if (frame->type == PING && frame->size != 8)
        return false;
    put_header(&answer, frame->type == PING ? 8 : 0, frame->type, ACK, 0);
    if (frame->type == PING)
        put(&answer, frame->data, 8);
    send_all(fd, answer.data, answer.used);
    return true;
}

/* Collects the message from the stream's frames; true if the stream has ended well, with or without a message. */
static bool read_answer(int fd, struct frame *frame, struct buffer *message)
{
    while (read_frame(fd, frame)) {
        if (!acknowledge(fd, frame))
            return false;
        if (frame->stream != STREAM)
            continue;
        if (frame->type == RST_STREAM)
            return true;
        if (frame->type == DATA) {
            size_t front = (frame->flags & PADDED) ? 1 : 0;
            size_t padding = front && frame->size > 0 ? frame->data[0] : 0;
            size_t size = frame->size > front + padding ? frame->size - front - padding : 0;
            size_t room = sizeof(message->data) - message->used;
            put(message, frame->data + front, size < room ? size : room);
        }
        if ((frame->type == DATA || frame->type == HEADERS) && (frame->flags & END_STREAM))
            return true;
    }
    return message->used >= 7; /* some servers close the connection with the answer */
}

static const char *name_of(int status)
{
    static const char *const names[] = {"UNKNOWN", "SERVING", "NOT_SERVING", "SERVICE_UNKNOWN"};

    return status >= 0 && status < (int)COUNT(names) ? names[status] : "UNKNOWN";
}

int probe_grpc(const struct addresses *addresses, const struct place *place, const char *service)
{
    static struct frame frame;
    static struct buffer message;
    char why[256];
    int fd, status;

    if (strlen(service) > SERVICE_SIZE) {
        puts("the service's name is too long");
        return WRONG;
    }
    fd = dial(addresses, place->port, why, sizeof(why));
    if (fd < 0) {
        printf("failed to connect service \"%s:%s\": %s\n", place->host, place->port, why);
        return ILL;
    }
    if (!ask(fd, place, service) || !read_answer(fd, &frame, &message)) {
        printf("health rpc failed: %s\n", errno == 0 ? "EOF" : errno == EPROTO ? "this is no HTTP/2" : reason(errno));
        return ILL;
    }
    if (message.used == 0) {
        printf("health rpc failed: this server does not implement the grpc health protocol "
               "(grpc.health.v1.Health)%s%s%s\n", *service ? ", or not for the service \"" : "", service,
               *service ? "\"" : "");
        return ILL;
    }
    status = status_of(message.data, message.used);
    if (status == SERVING)
        return WELL;
    printf("service unhealthy (responded with \"%s\")\n", name_of(status));
    return ILL;
}
