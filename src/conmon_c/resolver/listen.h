/* Sockets in the shared network namespace, and who asks there. */
#ifndef PODPY_RESOLVER_LISTEN_H
#define PODPY_RESOLVER_LISTEN_H

#include "context.h"

/* A socket in the shared namespace; -1 with errno. */
int netns_socket(struct context *ctx, int family, int type);

/* Opens and closes listeners, so that they are those that the names ask for. What can't be opened is tried again later.
   Returns 0, or -1 with errno of the last that failed; `failed` (may be NULL) is its address. */
int listeners_update(struct context *ctx, struct address *failed);

/* Sends an answer to where the question came from. */
void reply(struct context *ctx, const struct origin *origin, const uint8_t *message, size_t size);

/* Ends the connection of somebody who doesn't speak DNS; by UDP nothing is said. */
void hang_up(struct context *ctx, const struct origin *origin);

/* Closes connections that have had no question for too long. Returns the next deadline, or 0. */
int64_t clients_expire(struct context *ctx, int64_t now);

#endif
