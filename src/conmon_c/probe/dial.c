#define _GNU_SOURCE
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "probe.h"

bool place_read(struct place *place, const char *text, const char *end)
{
    const char *colon = memrchr(text, ':', (size_t)(end - text));

    if (colon == NULL || (size_t)(end - colon - 1) >= PORT_SIZE || end == colon + 1)
        return false;
    snprintf(place->port, PORT_SIZE, "%.*s", (int)(end - colon - 1), colon + 1);
    if (strspn(place->port, "0123456789") != strlen(place->port) || atoi(place->port) < 1 || atoi(place->port) > 65535)
        return false;
    if (*text == '[' && colon > text && colon[-1] == ']') {
        text++;
        colon--;
    }
    return (size_t)snprintf(place->host, HOST_SIZE, "%.*s", (int)(colon - text), text) < HOST_SIZE && colon > text;
}

static bool add(struct addresses *addresses, int family, const char *host)
{
    struct sockaddr_storage *to = &addresses->list[addresses->count];
    struct sockaddr_in *four = (struct sockaddr_in *)to;
    struct sockaddr_in6 *six = (struct sockaddr_in6 *)to;

    memset(to, 0, sizeof(*to));
    to->ss_family = (sa_family_t)family;
    if (inet_pton(family, host, family == AF_INET ? (void *)&four->sin_addr : (void *)&six->sin6_addr) != 1)
        return false;
    addresses->count++;
    return true;
}

/* A server may listen at its network's address only, such as one that is given its pod's address. Link-local addresses
   need a zone, and no server listens at them alone. */
static void add_own(struct addresses *addresses)
{
    struct ifaddrs *all = NULL;

    if (getifaddrs(&all) < 0)
        return;
    for (struct ifaddrs *each = all; each != NULL && addresses->count < ADDRESSES; each = each->ifa_next) {
        const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)each->ifa_addr;
        size_t size;
        if (each->ifa_addr == NULL || (each->ifa_flags & IFF_LOOPBACK))
            continue;
        if (each->ifa_addr->sa_family == AF_INET)
            size = sizeof(struct sockaddr_in);
        else if (each->ifa_addr->sa_family == AF_INET6 && !IN6_IS_ADDR_LINKLOCAL(&six->sin6_addr))
            size = sizeof(struct sockaddr_in6);
        else
            continue;
        struct sockaddr_storage *to = &addresses->list[addresses->count++];
        memset(to, 0, sizeof(*to));
        memcpy(to, each->ifa_addr, size);
    }
    freeifaddrs(all);
}

bool addresses_find(struct addresses *addresses, const char *host)
{
    addresses->count = 0;
    if (strcmp(host, "localhost") != 0)
        return add(addresses, strchr(host, ':') ? AF_INET6 : AF_INET, host);
    add(addresses, AF_INET, "127.0.0.1");
    add(addresses, AF_INET6, "::1");
    add_own(addresses);
    return true;
}

const char *reason(int number)
{
    static char text[96];

    snprintf(text, sizeof(text), "%s", strerror(number));
    text[0] = (char)tolower((unsigned char)text[0]);
    return text;
}

static void explain(const struct sockaddr_storage *address, const char *port, int number, char *why, size_t size)
{
    const struct sockaddr_in *four = (const struct sockaddr_in *)address;
    const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)address;
    bool is_six = address->ss_family == AF_INET6;
    char host[INET6_ADDRSTRLEN] = "";

    inet_ntop(address->ss_family, is_six ? (const void *)&six->sin6_addr : (const void *)&four->sin_addr, host,
              sizeof(host));
    snprintf(why, size, "dial tcp %s%s%s:%s: connect: %s", is_six ? "[" : "", host, is_six ? "]" : "", port,
             reason(number));
}

int dial(const struct addresses *addresses, const char *port, char *why, size_t size)
{
    for (size_t i = 0; i < addresses->count; i++) {
        struct sockaddr_storage address = addresses->list[i];
        bool is_six = address.ss_family == AF_INET6;
        socklen_t length = is_six ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
        int fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
        int number;

        /* sin_port and sin6_port have the same offset. */
        ((struct sockaddr_in *)&address)->sin_port = htons((uint16_t)atoi(port));
        if (fd >= 0 && connect(fd, (struct sockaddr *)&address, length) == 0)
            return fd;
        number = errno;
        if (fd >= 0)
            close(fd);
        if (i == 0) /* the reader knows the first address */
            explain(&address, port, number, why, size);
    }
    return -1;
}

bool send_all(int fd, const void *data, size_t size)
{
    const char *at = data;

    while (size > 0) {
        ssize_t n = send(fd, at, size, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        at += n;
        size -= (size_t)n;
    }
    return true;
}
