/* Connections: accepted from a client, made to the container, and both ways between them. */
#ifndef PODPY_FORWARD_TCP_H
#define PODPY_FORWARD_TCP_H

#include "listeners.h"
#include "target.h"
#include "way.h"

enum { CLIENT, SERVER, SIDES };

struct connection;

struct queue {
    struct connection *first, *last;
};

struct connection {
    struct slot slot;
    struct side side[SIDES];
    struct way way[SIDES];           /* way[CLIENT] leads from the client to the server */
    union address server;            /* the container's address and port */
    bool connected;
    int64_t deadline;                /* for being connected */
    struct queue *queue;             /* it is in: `connecting` or `more`; NULL: in none */
    struct connection *next, *previous;
};

struct tcp {
    struct slots slots;
    struct pipes pipes;
    struct queue connecting; /* the oldest first */
    struct queue more;       /* can go on at once */
};

int tcp_init(struct context *ctx, struct error *err);

/* Sets what a client's socket has: no delay, and probes that find out about clients that are gone. (The container is on
   this machine: its kernel resets what is over.) */
int tcp_set_options(int fd);

void tcp_accept(struct context *ctx, struct listener *listener);

/* Resets the connections to addresses that the container doesn't have any more. */
void tcp_target_changed(struct context *ctx);

bool tcp_has_more(const struct tcp *tcp);
void tcp_after_events(struct context *ctx);

#endif
