#define _GNU_SOURCE
#include "way.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#define CHUNK ((size_t)1 << 20) /* as much as the pipe's buffers hold: the pipe's capacity bounds it */
#define LITTLE 4096             /* an empty pipe has room for it, also a pipe above the user's soft limit (pipe(7)) */
#define COPY 32768
#define TURNS 16                /* then others get their turn */

void way_break(struct pipes *pipes, struct way *way)
{
    pipes_drop(pipes, &way->pipe);
    way->held = 0;
    way->ended = true;
    way->reset = true;
}

/* What to do when nothing could be read: `n` is what splice(2) or recv(2) has returned. */
static enum progress read_nothing(struct pipes *pipes, struct way *way, struct side *from, ssize_t n)
{
    if (n < 0 && errno == EAGAIN) {
        from->readable = false;
        return WAY_WAITS;
    }
    if (n == 0) {
        way->ended = true;
        return WAY_WAITS;
    }
    way_break(pipes, way);
    from->gone = true;
    return WAY_HAS_MORE;
}

static enum progress write_nothing(struct pipes *pipes, struct way *way, struct side *to)
{
    if (errno == EAGAIN) {
        to->writable = false;
        return WAY_WAITS;
    }
    way_break(pipes, way);
    to->readable = true;
    return WAY_HAS_MORE;
}

static enum progress fill(struct pipes *pipes, struct way *way, struct side *from)
{
    ssize_t n = splice(from->source.fd, NULL, way->pipe.in, NULL, CHUNK, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);

    if (n == 0) { /* the end, or urgent data before the end: recv(2) knows */
        from->urgent = true;
        return WAY_HAS_MORE;
    }
    if (n < 0)
        return read_nothing(pipes, way, from, n);
    way->held = (size_t)n;
    way->bulk = n >= LITTLE;
    return WAY_HAS_MORE;
}

static enum progress drain(struct pipes *pipes, struct way *way, struct side *to)
{
    ssize_t n = splice(way->pipe.out, NULL, to->source.fd, NULL, way->held, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);

    if (n <= 0)
        return write_nothing(pipes, way, to);
    way->held -= (size_t)n;
    return WAY_HAS_MORE;
}

/* With an empty pipe. That less was read than there was room for means that nothing is left (epoll(7)). */
static enum progress relay(struct pipes *pipes, struct way *way, struct side *from, struct side *to)
{
    char buffer[LITTLE];
    ssize_t n = recv(from->source.fd, buffer, sizeof(buffer), 0);

    if (n <= 0)
        return read_nothing(pipes, way, from, n);
    way->bulk = n == sizeof(buffer);
    from->readable = way->bulk || from->ending || from->urgent;
    ssize_t sent = send(to->source.fd, buffer, (size_t)n, MSG_NOSIGNAL);
    if (sent < 0 && write_nothing(pipes, way, to) == WAY_HAS_MORE)
        return WAY_HAS_MORE;
    if (sent < 0)
        sent = 0;
    if (sent < n && write(way->pipe.in, buffer + sent, (size_t)(n - sent)) != n - sent) {
        way_break(pipes, way); /* which an empty pipe never does */
        return WAY_HAS_MORE;
    }
    way->held = (size_t)(n - sent);
    return WAY_HAS_MORE;
}

/* Without a pipe: nothing is kept here, what the receiver doesn't take stays in the sender's socket. */
static enum progress copy(struct pipes *pipes, struct way *way, struct side *from, struct side *to)
{
    static char buffer[COPY];
    ssize_t n = recv(from->source.fd, buffer, sizeof(buffer), MSG_PEEK);

    if (n <= 0)
        return read_nothing(pipes, way, from, n);
    n = send(to->source.fd, buffer, (size_t)n, MSG_NOSIGNAL);
    if (n <= 0)
        return write_nothing(pipes, way, to);
    recv(from->source.fd, buffer, (size_t)n, MSG_TRUNC); /* tcp(7): takes without copying */
    return WAY_HAS_MORE;
}

static enum progress step(struct pipes *pipes, struct way *way, struct side *from, struct side *to)
{
    if (way->held > 0)
        return to->writable ? drain(pipes, way, to) : WAY_WAITS;
    if (!from->readable || way->ended)
        return WAY_WAITS;
    bool has_pipe = way->pipe.out >= 0 || pipes_take(pipes, &way->pipe);
    if (has_pipe && !from->urgent && (way->bulk || !to->writable))
        return fill(pipes, way, from);
    if (!to->writable)
        return WAY_WAITS;
    return has_pipe ? relay(pipes, way, from, to) : copy(pipes, way, from, to);
}

void way_tell_end(struct way *way, struct side *to)
{
    if (way->ended && way->held == 0 && !way->reset && !way->told)
        way->told = shutdown(to->source.fd, SHUT_WR) == 0;
}

enum progress way_pump(struct pipes *pipes, struct way *way, struct side *from, struct side *to)
{
    enum progress progress = WAY_HAS_MORE;

    for (int turn = 0; turn < TURNS && progress == WAY_HAS_MORE; turn++)
        progress = step(pipes, way, from, to);
    if (way->held == 0)
        pipes_give(pipes, &way->pipe);
    return progress;
}
