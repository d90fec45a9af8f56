/* A table of equal objects whose memory is touched only as far as it was ever needed, and never moves.

   One that was given back is used again only after slots_recycle(): events of the same batch may still name it. */
#ifndef PODPY_FORWARD_SLOTS_H
#define PODPY_FORWARD_SLOTS_H

#include "util.h"

/* The first member of each object. */
struct slot {
    struct slot *next;
};

struct slots {
    char *base;
    size_t size; /* of one object */
    unsigned most;
    unsigned high; /* objects from here on were never used */
    unsigned used;
    struct slot *free;
    struct slot *given_back;
};

int slots_init(struct slots *slots, size_t size, unsigned most, struct error *err);

/* Returns an object with old content (zeros at first), or NULL if there is no room. */
void *slots_take(struct slots *slots);
bool slots_have_room(const struct slots *slots);
void slots_give(struct slots *slots, void *object);
void slots_recycle(struct slots *slots);

/* The object with this number, below slots->high. */
void *slots_at(const struct slots *slots, unsigned number);

#endif
