/* The sign that the container has ended: a file that is unlinked. */
#ifndef PODPY_FORWARD_WATCH_H
#define PODPY_FORWARD_WATCH_H

#include "loop.h"

struct watch {
    struct source source;
    const char *name; /* of the file, in its directory */
};

/* Ends the loop when the file at `path` is unlinked, or its directory. It's an error if it is gone already. */
int watch_open(struct context *ctx, const char *path, struct error *err);

#endif
