#define _GNU_SOURCE
#include "address.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/socket.h>

bool address_parse(union address *address, const char *text)
{
    memset(address, 0, sizeof(*address));
    address->any.sa_family = strchr(text, ':') != NULL ? AF_INET6 : AF_INET;
    if (address->any.sa_family == AF_INET6)
        return inet_pton(AF_INET6, text, &address->v6.sin6_addr) == 1;
    return inet_pton(AF_INET, text, &address->v4.sin_addr) == 1;
}

socklen_t address_size(const union address *address)
{
    return address->any.sa_family == AF_INET6 ? sizeof(address->v6) : sizeof(address->v4);
}

uint16_t address_port(const union address *address)
{
    return ntohs(address->any.sa_family == AF_INET6 ? address->v6.sin6_port : address->v4.sin_port);
}

void address_set_port(union address *address, uint16_t port)
{
    if (address->any.sa_family == AF_INET6)
        address->v6.sin6_port = htons(port);
    else
        address->v4.sin_port = htons(port);
}

bool address_equal(const union address *a, const union address *b)
{
    if (a->any.sa_family != b->any.sa_family || address_port(a) != address_port(b))
        return false;
    if (a->any.sa_family == AF_INET6)
        return a->v6.sin6_scope_id == b->v6.sin6_scope_id && IN6_ARE_ADDR_EQUAL(&a->v6.sin6_addr, &b->v6.sin6_addr);
    return a->v4.sin_addr.s_addr == b->v4.sin_addr.s_addr;
}

void address_unmap(union address *address)
{
    if (address->any.sa_family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&address->v6.sin6_addr))
        return;
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = address->v6.sin6_port};
    memcpy(&v4.sin_addr, &address->v6.sin6_addr.s6_addr[12], sizeof(v4.sin_addr));
    memset(address, 0, sizeof(*address));
    address->v4 = v4;
}

bool address_is_local(const union address *address)
{
    if (address->any.sa_family == AF_INET6)
        return IN6_IS_ADDR_LOOPBACK(&address->v6.sin6_addr) || IN6_IS_ADDR_LINKLOCAL(&address->v6.sin6_addr);
    uint32_t number = ntohl(address->v4.sin_addr.s_addr);
    return number >> 24 == IN_LOOPBACKNET || number >> 16 == 0xa9fe; /* 169.254.0.0/16, RFC 3927 */
}
