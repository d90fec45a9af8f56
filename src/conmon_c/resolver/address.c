#define _GNU_SOURCE
#include "address.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <string.h>

bool address_parse(const char *text, struct address *address)
{
    char plain[INET6_ADDRSTRLEN];
    const char *zone = strchr(text, '%');
    size_t length = zone ? (size_t)(zone - text) : strlen(text);

    memset(address, 0, sizeof *address);
    if (length >= sizeof plain)
        return false;
    memcpy(plain, text, length);
    plain[length] = '\0';
    if (zone == NULL && inet_pton(AF_INET, plain, address->bytes) == 1) {
        address->family = AF_INET;
        return true;
    }
    if (inet_pton(AF_INET6, plain, address->bytes) != 1)
        return false;
    address->family = AF_INET6;
    if (zone != NULL)
        address->scope = if_nametoindex(zone + 1);
    return zone == NULL || address->scope != 0;
}

size_t address_size(const struct address *address)
{
    return address->family == AF_INET ? 4 : 16;
}

bool address_equal(const struct address *one, const struct address *other)
{
    return one->family == other->family && memcmp(one->bytes, other->bytes, address_size(one)) == 0;
}

uint32_t address_hash(const struct address *address)
{
    uint32_t hash = 2166136261u; /* FNV-1a */

    for (size_t i = 0; i < address_size(address); i++)
        hash = (hash ^ address->bytes[i]) * 16777619u;
    return hash;
}

struct address address_of(const struct sockaddr_storage *name)
{
    struct address address = {.family = name->ss_family};

    if (name->ss_family == AF_INET) {
        memcpy(address.bytes, &((const struct sockaddr_in *)name)->sin_addr, 4);
    } else {
        memcpy(address.bytes, &((const struct sockaddr_in6 *)name)->sin6_addr, 16);
        address.scope = ((const struct sockaddr_in6 *)name)->sin6_scope_id;
    }
    return address;
}

socklen_t address_to_name(const struct address *address, uint16_t port, struct sockaddr_storage *name)
{
    memset(name, 0, sizeof *name);
    name->ss_family = address->family;
    if (address->family == AF_INET) {
        struct sockaddr_in *in = (struct sockaddr_in *)name;
        memcpy(&in->sin_addr, address->bytes, 4);
        in->sin_port = htons(port);
        return sizeof *in;
    }
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)name;
    memcpy(&in6->sin6_addr, address->bytes, 16);
    in6->sin6_port = htons(port);
    in6->sin6_scope_id = address->scope;
    return sizeof *in6;
}
