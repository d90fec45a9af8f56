/* The container's stdin: a pipe, or the terminal's master side. One buffer; clients wait while it isn't empty. */
#ifndef PODPY_CONMON_INPUT_H
#define PODPY_CONMON_INPUT_H

#include "loop.h"

struct input {
    struct source source;
    bool waiting;   /* a terminal is expected: until it is there, clients' input stays in their sockets */
    bool end_asked; /* close when the buffer is empty */
    size_t begin, end;
};

/* Sets the descriptor (non-blocking). */
void input_set(struct context *ctx, int fd);

/* Returns whether a client's next packet may be read. */
bool input_ready(const struct input *input);

/* Takes `size` bytes in buffers->input. Without a stdin they are dropped, as in conmon 2.1. */
void input_take(struct context *ctx, size_t size);

/* End of input: the container gets end of file after the rest of the buffer. */
void input_end(struct context *ctx);

/* The container has ended: further input from clients is dropped. */
void input_stop(struct context *ctx);

#endif
