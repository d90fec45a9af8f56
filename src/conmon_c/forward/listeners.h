/* The sockets of the host's network namespace that clients come to. podpy binds them. */
#ifndef PODPY_FORWARD_LISTENERS_H
#define PODPY_FORWARD_LISTENERS_H

#include "address.h"
#include "loop.h"
#include "slots.h"

struct listener {
    struct slot slot;
    struct source source;
    int type;              /* SOCK_STREAM, SOCK_DGRAM */
    uint16_t port;         /* the container's */
    union address address; /* the host's, as it's bound */
};

struct listeners {
    struct slots slots;
    bool paused; /* nothing is accepted for the moment */
};

int listeners_init(struct context *ctx, struct error *err);

/* Takes a bound socket (TCP: that listens) of the protocol "tcp" or "udp", for a port of the container. It stays the
   caller's after an error. */
int listeners_add(struct context *ctx, int fd, const char *protocol, const char *port, struct error *err);

/* Closes the listener of this protocol, host address and host port. Connections live on; flows end. */
int listeners_remove(struct context *ctx, const char *protocol, const char *address, const char *port,
                     struct error *err);

/* Stops accepting, and begins again: clients wait in the kernel's queue meanwhile. */
void listeners_pause(struct context *ctx);
void listeners_resume(struct context *ctx);

#endif
