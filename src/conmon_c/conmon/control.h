/* The control fifos in the bundle: `ctl` ("1 ROWS COLUMNS" resizes, "2 0 0" reopens the logs, "3 N 0" is about the
   health check and "6 MS 0" stops: health.h, "4 0 0" forbids a restart and "5 N 0" is another policy: restart.h) and
   `winsz` ("ROWS COLUMNS"). Also creates sockets in the bundle, however long its path is. */
#ifndef PODPY_CONMON_CONTROL_H
#define PODPY_CONMON_CONTROL_H

#include "loop.h"

struct fifo {
    struct source source;
    char line[200];
    size_t used;
};

struct control {
    struct fifo ctl;
    struct fifo winsz;
};

int control_open(struct context *ctx, struct error *err);

/* Creates a bound, non-blocking socket at BUNDLE/name; returns its descriptor or -1. For `attach`, also creates conmon
   2.1's link to the bundle in --socket-dir-path, unless --full-attach is given. */
int socket_in_bundle(struct context *ctx, const char *name, int type, mode_t mode, struct error *err);
int control_link_bundle(struct context *ctx, struct error *err);

#endif
