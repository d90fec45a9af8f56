/* Internet addresses with ports. */
#ifndef PODPY_FORWARD_ADDRESS_H
#define PODPY_FORWARD_ADDRESS_H

#include <netinet/in.h>

#include "util.h"

union address {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

/* Reads "10.89.0.2" or "fd00::2"; the port is 0. */
bool address_parse(union address *address, const char *text);
socklen_t address_size(const union address *address);
uint16_t address_port(const union address *address);
void address_set_port(union address *address, uint16_t port);

/* The same family, address and port. */
bool address_equal(const union address *a, const union address *b);

/* An IPv4 address that a socket of IPv6 tells (::ffff:192.0.2.1) becomes one of IPv4. */
void address_unmap(union address *address);

/* True for addresses that mean nothing in another network namespace: loopback, link-local. */
bool address_is_local(const union address *address);

#endif
