#define _GNU_SOURCE
#include "way.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

#define CHUNK ((size_t)1 << 20) /* as much as the pipe's 16 buffers hold: the pipe's capacity bounds it */
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
static enum progress read_nothing(struct pipes *pipes, struct way *way, struct side *from, struct side *to, ssize_t n)
{
    if (n < 0 && errno == EAGAIN) {
        from->readable = false;
        return WAY_WAITS;
    }
    if (n == 0) {
        way->ended = true;
        shutdown(to->source.fd, SHUT_WR);
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

static enum progress fill(struct pipes *pipes, struct way *way, struct side *from, struct side *to)
{
    ssize_t n = splice(from->source.fd, NULL, way->pipe.in, NULL, CHUNK, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);

    if (n <= 0)
        return read_nothing(pipes, way, from, to, n);
    way->held = (size_t)n;
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

/* Without a pipe: nothing is kept here, what the receiver doesn't take stays in the sender's socket. */
static enum progress copy(struct pipes *pipes, struct way *way, struct side *from, struct side *to)
{
    static char buffer[COPY];
    ssize_t n = recv(from->source.fd, buffer, sizeof(buffer), MSG_PEEK);

    if (n <= 0)
        return read_nothing(pipes, way, from, to, n);
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
    if (way->pipe.out >= 0 || pipes_take(pipes, &way->pipe))
        return fill(pipes, way, from, to);
    return to->writable ? copy(pipes, way, from, to) : WAY_WAITS;
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
