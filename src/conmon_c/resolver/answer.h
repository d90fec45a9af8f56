/* What becomes of a question: answered from the names, refused, or forwarded. */
#ifndef PODPY_RESOLVER_ANSWER_H
#define PODPY_RESOLVER_ANSWER_H

#include "context.h"

void answer_query(struct context *ctx, const struct origin *origin, const uint8_t *query, size_t size);

/* Answers without records. */
void answer_code(struct context *ctx, const struct origin *origin, const uint8_t *query, size_t size, enum rcode rcode);

#endif
