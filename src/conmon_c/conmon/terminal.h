/* A container with a terminal: the console socket through which the runtime passes the master side, and its size. */
#ifndef PODPY_CONMON_TERMINAL_H
#define PODPY_CONMON_TERMINAL_H

#include "loop.h"

/* conmon 2.2's limit of rows and of columns: programs allocate a buffer of that many cells. */
#define TERMINAL_SIZE_MAX 1000

struct terminal {
    struct source listener;
    char socket_path[108];
    int master;              /* for the size; -1 until the runtime has sent it */
    unsigned short rows, columns; /* set before there was a terminal */
    bool size_asked;
};

/* Parses "ROWSxCOLUMNS", each up to TERMINAL_SIZE_MAX; returns whether it is valid. The pointers may be NULL. */
bool terminal_parse_size(const char *text, int *rows, int *columns);

int terminal_open(struct context *ctx, struct error *err);

/* The runtime has ended: fails if a terminal was requested and none was received. */
int terminal_check(struct context *ctx, struct error *err);

void terminal_resize(struct context *ctx, int rows, int columns);
void terminal_close(struct context *ctx);

#endif
