/* Where connections and datagrams go: the container's addresses, and from which address they come there. */
#ifndef PODPY_FORWARD_TARGET_H
#define PODPY_FORWARD_TARGET_H

#include "address.h"

enum family { V4, V6, FAMILIES };

struct target {
    union address server[FAMILIES];  /* sa_family is AF_UNSPEC where the container has none */
    union address gateway[FAMILIES]; /* the bridge's own, for clients whose address can't be kept */
    bool keeps_clients;              /* the server sees the clients' addresses */
};

/* Reads "SERVER4 SERVER6 GATEWAY4 GATEWAY6 MODE": "-" where there is none; MODE is `real` or `gateway`. Changes the
   text. */
int target_parse(struct target *target, char *text, struct error *err);

/* True if connections to this address go to the container. */
bool target_has(const struct target *target, const union address *server);

/* Returns a socket of this kind that begins to connect to the container's port, from the client's address if that can
   be kept; -1 with errno. `server` is filled in. A client of a family that the container lacks gets the other one. */
int target_connect(const struct target *target, int type, const union address *client, uint16_t port,
                   union address *server);

#endif
