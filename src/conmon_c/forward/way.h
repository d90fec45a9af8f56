/* One direction of a connection: from a socket to another socket, at the receiver's pace. Much goes through a pipe
   (splice(2)); a little is copied, which takes half the time, and the pipe gets what the receiver has no room for.
   Where no pipe is left, what the receiver has taken is copied. */
#ifndef PODPY_FORWARD_WAY_H
#define PODPY_FORWARD_WAY_H

#include "loop.h"
#include "pipes.h"

/* A socket of a connection. epoll tells once when it becomes readable or writable (edge-triggered), so it is noted. */
struct side {
    struct source source;
    bool readable;
    bool writable;
    bool ending; /* its end has come, or will at once: a read that finds less than it has room for isn't the last one */
    bool urgent; /* urgent data may have come (tcp(7)): reads stop at it, and splice(2) doesn't get over it */
    bool gone;   /* nothing can be written to it any more; what it said before is still to be read */
};

struct way {
    struct pipe pipe;
    size_t held; /* bytes in the pipe */
    bool bulk;   /* the last read found much */
    bool ended;  /* the sender has said all, or the receiver takes no more */
    bool reset;  /* it didn't end well */
    bool told;   /* the receiver knows that */
};

enum progress {
    WAY_WAITS,   /* for an event */
    WAY_HAS_MORE /* but others want to go on, too; or it has just broken */
};

/* Moves what can be moved now, some megabytes at most. */
enum progress way_pump(struct pipes *pipes, struct way *way, struct side *from, struct side *to);

/* Passes the sender's end on. */
void way_tell_end(struct way *way, struct side *to);

/* Ends it with an error; what is in the pipe is lost. */
void way_break(struct pipes *pipes, struct way *way);

#endif
