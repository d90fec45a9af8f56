/* The container's stdin: a pipe, or the terminal's master side. One buffer; clients wait while it isn't empty. */
#ifndef PODPY_CONMON_INPUT_H
#define PODPY_CONMON_INPUT_H

#include "loop.h"

struct input {
    struct source source;
    bool waiting;   /* a terminal is expected: clients' bytes are kept in their sockets until it is there */
    bool end_asked; /* close when the buffer is empty */
    size_t begin, end;
};

/* The descriptor is there (non-blocking). */
void input_set(struct context *ctx, int fd);

/* Whether a client's next packet may be read. */
bool input_ready(const struct input *input);

/* Takes `size` bytes that lie in buffers->input. Without a stdin they are dropped, as conmon 2.1 does. */
void input_take(struct context *ctx, size_t size);

/* End of input: the container sees end of file after what is still in the buffer. */
void input_end(struct context *ctx);

/* The container has ended: whatever clients still send is dropped. */
void input_stop(struct context *ctx);

#endif
