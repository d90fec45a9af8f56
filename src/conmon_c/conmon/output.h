/* The container's stdout and stderr (or its terminal): pipes, pump, and the last drain. */
#ifndef PODPY_CONMON_OUTPUT_H
#define PODPY_CONMON_OUTPUT_H

#include "loop.h"

/* The attach protocol's numbers: the first byte of every packet. */
enum { STREAM_STDOUT, STREAM_STDERR, STREAM_COUNT };
#define STREAM_PACKET_ID(stream) ((unsigned char)((stream) + 2))

struct stream {
    struct source source;
    bool terminal;
};

struct output {
    struct stream streams[STREAM_COUNT];
    int child_stdin, child_stdout, child_stderr; /* the container's ends, until the runtime has inherited them */
    bool pumping;                                /* the runtime has ended: now output is the container's */
    bool used;                                   /* the buffers occupy memory */
};

/* Creates the pipes: none with passthrough, only stderr (for the runtime's messages) with a terminal. */
int output_open(struct context *ctx, struct error *err);
void output_close_child_ends(struct output *output);

/* Takes over the terminal's master side as stdout. */
void output_set_terminal(struct context *ctx, int fd);

/* Starts reading; or stops and resumes it, for back-pressure from clients. */
void output_start(struct context *ctx);
void output_update(struct context *ctx);

/* Reads only what is there now: a process that outlives the container may write forever. */
void output_drain(struct context *ctx);

#endif
