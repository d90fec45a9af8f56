/* Pipes that data is spliced through. Few are needed: one goes back when it's empty, so that only ways whose receiver
   is slow keep one. */
#ifndef PODPY_FORWARD_PIPES_H
#define PODPY_FORWARD_PIPES_H

#include "util.h"

#define SPARE_PIPES 8 /* these are larger, for speed: more of them would be much of what a user may have (pipe(7)) */

struct pipe {
    int out; /* to read; -1: no pipe */
    int in;
};

struct pipes {
    struct pipe spare[SPARE_PIPES];
    unsigned count; /* of spare ones */
    unsigned open;  /* of all */
    unsigned most;
};

/* False if there is none: the limit is reached, or the kernel's. */
bool pipes_take(struct pipes *pipes, struct pipe *pipe);

/* Gives an empty pipe back. */
void pipes_give(struct pipes *pipes, struct pipe *pipe);

/* Closes one with data in it. */
void pipes_drop(struct pipes *pipes, struct pipe *pipe);

#endif
