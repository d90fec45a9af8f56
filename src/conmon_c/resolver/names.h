/* What the files of the folder `names` say (see podpy/network/bridge/resolver.py): networks, containers, addresses.
 *
 * Loaded as a whole whenever a file has changed; looked up by hash without allocating anything.
 */
#ifndef PODPY_RESOLVER_NAMES_H
#define PODPY_RESOLVER_NAMES_H

#include "address.h"

enum { MOST_VIEW = 32, MOST_SERVERS = 4, MOST_FOUND = 1024 };

#define DOMAIN "dns.podman"

struct names;

/* What one client may know: the names of all networks that it is on, that of the listener first. */
struct view {
    int networks[MOST_VIEW];
    size_t count;
    bool internal;                        /* only internal networks: nothing is forwarded */
    struct address servers[MOST_SERVERS]; /* its own ones, or its networks'; none: the host's */
    size_t server_count;
};

/* Reads all files of the folder. Lines that make no sense are left out. Returns NULL without memory. */
struct names *names_load(int directory);
void names_free(struct names *names);

/* The addresses to listen on, one after the other: NULL after the last. */
const struct address *names_listen(const struct names *names, size_t at);

/* What a client sees that asks at a listener's address. */
void names_view(const struct names *names, const struct address *listener, const struct address *client,
                struct view *view);

/* The addresses of all containers in view that have this name (lower case, without the domain): at most MOST_FOUND. */
size_t names_addresses(const struct names *names, const struct view *view, const char *name,
                       const struct address **found);

/* The names of the container in view that has this address. */
size_t names_of(const struct names *names, const struct view *view, const struct address *address, const char **found);

/* True if some container has this address: it is on a bridge, and not on the host's network. */
bool names_has(const struct names *names, const struct address *address);
bool names_is_listener(const struct names *names, const struct address *address);

#endif
