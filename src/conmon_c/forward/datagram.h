/* Datagrams with the address of the host that they were sent to (ip(7), ipv6(7): packet information). */
#ifndef PODPY_FORWARD_DATAGRAM_H
#define PODPY_FORWARD_DATAGRAM_H

#include "udp.h"

/* Reads one from a listener; returns its size, or -1 with errno. */
ssize_t datagram_receive(int fd, void *buffer, size_t size, union address *from, struct asked *asked);

/* Sends one from the address that was asked; -1 with errno. */
ssize_t datagram_send(int fd, const void *data, size_t size, const union address *to, const struct asked *asked);

#endif
