/* How much may be open at the same time. */
#ifndef PODPY_FORWARD_LIMITS_H
#define PODPY_FORWARD_LIMITS_H

#include "util.h"

struct limits {
    unsigned listeners;
    unsigned connections; /* of TCP */
    unsigned pipes;
    unsigned flows; /* UDP clients */
};

/* Raises the soft limit of descriptors to the hard one, and derives the others from it, so that accepted clients never
   meet EMFILE. `listeners`: those that are there already. */
void limits_init(struct limits *limits, unsigned listeners);

#endif
