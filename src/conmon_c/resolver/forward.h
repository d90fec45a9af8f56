/* Questions about other names: the servers of the container, of its networks, or of the host are asked. */
#ifndef PODPY_RESOLVER_FORWARD_H
#define PODPY_RESOLVER_FORWARD_H

#include "context.h"

/* Asks a server, and answers when that one has answered; SERVFAIL if none does, or if too much is asked already. */
void forward_query(struct context *ctx, const struct origin *origin, const struct address *client,
                   const uint8_t *query, size_t size, const struct question *question, const struct view *view);

/* Forgets what came from a listener, or from a connection: nobody waits for the answer any more. */
void forward_forget(struct context *ctx, const struct listener *listener, const struct client *client);

/* Asks the next server where one hasn't answered in time. Returns the next deadline, or 0. */
int64_t forward_expire(struct context *ctx, int64_t now);

#endif
