#define _GNU_SOURCE
#include "way.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>

#define CHUNK ((size_t)1 << 20) /* as much as the pipe's 16 buffers hold: the pipe's capacity bounds it */
#define TURNS 16                /* then others get their turn */

void way_break(struct way *way)
{
    pipe_drop(&way->pipe);
    way->held = 0;
    way->ended = true;
    way->reset = true;
}

static enum progress fill(struct pipes *pipes, struct way *way, struct side *from, struct side *to)
{
    ssize_t n;

    if (!from->readable || way->ended)
        return WAY_WAITS;
    if (way->pipe.out < 0 && pipes_take(pipes, &way->pipe) < 0) {
        way_break(way);
        from->gone = true;
        return WAY_HAS_MORE;
    }
    do
        n = splice(from->source.fd, NULL, way->pipe.in, NULL, CHUNK, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
    while (n < 0 && errno == EINTR);
    if (n > 0) {
        way->held = (size_t)n;
        return WAY_HAS_MORE;
    }
    if (n < 0 && errno == EAGAIN) {
        from->readable = false;
        return WAY_WAITS;
    }
    if (n == 0) {
        way->ended = true;
        shutdown(to->source.fd, SHUT_WR);
        return WAY_WAITS;
    }
    way_break(way);
    from->gone = true;
    return WAY_HAS_MORE;
}

static enum progress drain(struct way *way, struct side *to)
{
    ssize_t n;

    if (!to->writable)
        return WAY_WAITS;
    do
        n = splice(way->pipe.out, NULL, to->source.fd, NULL, way->held, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
    while (n < 0 && errno == EINTR);
    if (n > 0) {
        way->held -= (size_t)n;
        return WAY_HAS_MORE;
    }
    if (n < 0 && errno == EAGAIN) {
        to->writable = false;
        return WAY_WAITS;
    }
    way_break(way);
    to->readable = true;
    return WAY_HAS_MORE;
}

enum progress way_pump(struct pipes *pipes, struct way *way, struct side *from, struct side *to)
{
    enum progress progress = WAY_HAS_MORE;

    for (int turn = 0; turn < TURNS && progress == WAY_HAS_MORE; turn++)
        progress = way->held == 0 ? fill(pipes, way, from, to) : drain(way, to);
    if (way->held == 0)
        pipes_give(pipes, &way->pipe);
    return progress;
}
