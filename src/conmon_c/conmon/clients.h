/* Attach clients: their socket, output and input.

   Output goes to the logs first, then to each client. If a client can't take a packet, the packet is kept, and
   reading from the container stops (back-pressure) until it is taken: a slow reader loses nothing. A client on the
   attach socket that takes nothing for a while (LAG_MS) no longer holds the container up: up to SPILL_HIGH bytes are
   kept for it. When that is full, and it took nothing for --attach-stall-limit seconds, it is cut off. The caller's
   own client (--attach-fd) is never cut off: it is like a program's pipe. */
#ifndef PODPY_CONMON_CLIENTS_H
#define PODPY_CONMON_CLIENTS_H

#include "loop.h"

#define CLIENTS_MAX 64

struct client {
    struct source source;
    bool primary;        /* --attach-fd */
    bool input_open;     /* may still send */
    bool output_lost;    /* takes nothing any more */
    bool spilling;       /* lagged: the container runs on, packets are kept */
    bool writing;        /* waiting for room in its socket */
    unsigned char *spill; /* packets not yet taken: two bytes of length, then the packet */
    size_t begin, end;
    int64_t progress; /* now_ms() when it last took something */
};

struct clients {
    struct source listener;
    char *link; /* --socket-dir-path's link to the bundle, to be removed */
    struct client slots[CLIENTS_MAX];
    int count;
    bool listens; /* there is a socket `attach` in the bundle */
    bool blocked; /* reading from the container must wait */
};

/* Creates the socket `attach` in the bundle, and takes over --attach-fd. */
int clients_open(struct context *ctx, struct error *err);

/* Accepts all clients that have connected. */
void clients_accept(struct context *ctx);

void clients_send(struct context *ctx, int stream, const unsigned char *data, size_t size);

/* To be called when the container's stdin can take more. */
void clients_resume_input(struct context *ctx);

/* No more output will come: closes clients that have all of it. */
void clients_finish(struct context *ctx);
void clients_stop_listening(struct context *ctx);

void clients_give_memory_back(struct clients *clients);

#endif
