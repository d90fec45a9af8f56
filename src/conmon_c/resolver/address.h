/* IP addresses: as text, as sockaddr, compared. */
#ifndef PODPY_RESOLVER_ADDRESS_H
#define PODPY_RESOLVER_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct address {
    sa_family_t family; /* AF_INET, AF_INET6; 0: none */
    uint32_t scope;     /* interface index of a link-local address */
    uint8_t bytes[16];
};

/* False if the text is no address. `fe80::1%eth0` is one if there is such an interface. */
bool address_parse(const char *text, struct address *address);

bool address_equal(const struct address *one, const struct address *other);
size_t address_size(const struct address *address);
uint32_t address_hash(const struct address *address);

struct address address_of(const struct sockaddr_storage *name);
socklen_t address_to_name(const struct address *address, uint16_t port, struct sockaddr_storage *name);

#endif
