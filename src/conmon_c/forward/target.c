#define _GNU_SOURCE
#include "target.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static bool parse_address(union address *address, const char *word, int family)
{
    if (word == NULL)
        return false;
    if (strcmp(word, "-") == 0) {
        memset(address, 0, sizeof(*address)); /* AF_UNSPEC is 0 */
        return true;
    }
    return address_parse(address, word) && address->any.sa_family == family;
}

int target_parse(struct target *target, char *text, struct error *err)
{
    struct target found;

    if (!parse_address(&found.server[V4], next_word(&text), AF_INET) ||
        !parse_address(&found.server[V6], next_word(&text), AF_INET6) ||
        !parse_address(&found.gateway[V4], next_word(&text), AF_INET) ||
        !parse_address(&found.gateway[V6], next_word(&text), AF_INET6))
        return fail(err, "a target is SERVER4 SERVER6 GATEWAY4 GATEWAY6 MODE");
    const char *mode = next_word(&text);
    if (mode == NULL || (strcmp(mode, "real") != 0 && strcmp(mode, "gateway") != 0) || next_word(&text) != NULL)
        return fail(err, "a target's mode is real or gateway");
    found.keeps_clients = mode[0] == 'r';
    *target = found;
    return 0;
}

bool target_has(const struct target *target, const union address *server)
{
    union address ours = target->server[server->any.sa_family == AF_INET6 ? V6 : V4];

    address_set_port(&ours, address_port(server));
    return address_equal(&ours, server);
}

/* Any port, never the client's own: two host ports that lead to one port of the container would then meet in its
   TIME_WAIT. For TCP the kernel chooses it at connect(2), so that it can be one that goes to another place already. */
static int bind_source(int fd, int type, union address source)
{
    static const int on = 1;

    address_set_port(&source, 0);
    if (type == SOCK_STREAM)
        setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
    return bind(fd, &source.any, address_size(&source));
}

/* What goes to such a socket, and what it sends, is known by that to the firewall (podpy.network.bridge.firewall). */
static int set_transparent(int fd, enum family family)
{
    static const int on = 1;

    return setsockopt(fd, family == V6 ? IPPROTO_IPV6 : IPPROTO_IP, family == V6 ? IPV6_TRANSPARENT : IP_TRANSPARENT,
                      &on, sizeof(on));
}

static int prepare(const struct target *target, int fd, int type, const union address *client, enum family family)
{
    const union address *gateway = &target->gateway[family];
    bool is_same = client->any.sa_family == target->server[family].any.sa_family;

    if (target->keeps_clients && set_transparent(fd, family) != 0)
        return -1;
    if (target->keeps_clients && is_same && !address_is_local(client))
        return bind_source(fd, type, *client);
    /* The kernel's own choice is the same address nearly always: one that isn't there (any more) is no error. */
    if (gateway->any.sa_family != AF_UNSPEC)
        bind_source(fd, type, *gateway);
    return 0;
}

int target_connect(const struct target *target, int type, const union address *client, uint16_t port,
                   union address *server)
{
    enum family family = client->any.sa_family == AF_INET6 ? V6 : V4;

    if (target->server[family].any.sa_family == AF_UNSPEC)
        family = family == V4 ? V6 : V4;
    *server = target->server[family];
    if (server->any.sa_family == AF_UNSPEC) {
        errno = ENETUNREACH;
        return -1;
    }
    address_set_port(server, port);
    int fd = socket(server->any.sa_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    if (prepare(target, fd, type, client, family) == 0 &&
        (connect(fd, &server->any, address_size(server)) == 0 || errno == EINPROGRESS))
        return fd;
    int error = errno;
    close(fd);
    errno = error;
    return -1;
}
