/* Flows: the datagrams of one client of one listener. Each has a socket of its own, so that the container sees who
   sent them and its answers find the way back. */
#ifndef PODPY_FORWARD_UDP_H
#define PODPY_FORWARD_UDP_H

#include "listeners.h"
#include "target.h"

#define BUCKETS 1024

/* The address of the host that a datagram was sent to: the answer leaves from there. */
struct asked {
    struct in6_addr address; /* IPv4's in the first four bytes */
    unsigned interface;      /* for a link-local address; else 0 */
};

struct flow {
    struct slot slot;
    struct source source;
    struct listener *listener;
    union address client;
    struct asked asked;
    int64_t last;                    /* loop->now of the last datagram, either way */
    struct flow *chained;            /* the next of the same bucket */
    struct flow *newer, *older;
};

struct udp {
    struct slots slots;
    uint64_t seed;
    struct flow *buckets[BUCKETS];
    struct flow *oldest, *newest; /* by `last` */
};

int udp_init(struct context *ctx, struct error *err);
void udp_receive(struct context *ctx, struct listener *listener);

/* Ends the flows of a listener; all for NULL. */
void udp_forget(struct context *ctx, const struct listener *listener);
void udp_after_events(struct context *ctx);

#endif
