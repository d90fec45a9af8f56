/* Datagrams, many with one system call, with the address of the host that they were sent to (ip(7), ipv6(7): packet
   information). */
#ifndef PODPY_FORWARD_DATAGRAM_H
#define PODPY_FORWARD_DATAGRAM_H

#include "udp.h"

#define BATCH 32

/* What was received last. */
struct batch {
    unsigned count;
    struct datagram {
        const char *data;
        size_t size;
        union address from; /* of a listener's */
        struct asked asked; /* the same */
    } datagrams[BATCH];
};

int batch_init(struct error *err);

/* Reads what there is from a listener, or (`connected`) from a flow's socket, without the addresses. Returns NULL with
   errno. The next call takes its place. */
const struct batch *batch_receive(int fd, bool connected);

/* Sends some that follow each other: to `to` from the address that was asked, or (both NULL) where the socket is
   connected to. What the kernel doesn't take is lost. */
void batch_send(int fd, const struct datagram *first, unsigned count, const union address *to,
                const struct asked *asked);

/* Gives the memory of large datagrams back. */
void batch_rest(void);

#endif
