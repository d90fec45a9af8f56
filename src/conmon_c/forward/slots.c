#define _GNU_SOURCE
#include "slots.h"

#include <sys/mman.h>

#define MANY 64 /* objects; for fewer, giving memory back isn't worth a system call */

int slots_init(struct slots *slots, size_t size, unsigned most, struct error *err)
{
    *slots = (struct slots){.size = size, .most = most};
    void *base = mmap(NULL, size * most, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (base == MAP_FAILED)
        return fail(err, "mmap: %m");
    slots->base = base;
    return 0;
}

void *slots_take(struct slots *slots)
{
    struct slot *slot = slots->free;

    if (slot != NULL)
        slots->free = slot->next;
    else if (slots->high < slots->most)
        slot = slots_at(slots, slots->high++);
    else
        return NULL;
    slots->used++;
    return slot;
}

bool slots_have_room(const struct slots *slots)
{
    return slots->free != NULL || slots->high < slots->most;
}

void slots_give(struct slots *slots, void *object)
{
    struct slot *slot = object;

    slot->next = slots->given_back;
    slots->given_back = slot;
    slots->used--;
}

void slots_recycle(struct slots *slots)
{
    if (slots->used == 0 && slots->high > MANY) {
        /* After a crowd: everything is as at first. */
        madvise(slots->base, slots->size * slots->high, MADV_DONTNEED);
        slots->high = 0;
        slots->free = slots->given_back = NULL;
    }
    while (slots->given_back != NULL) {
        struct slot *slot = slots->given_back;
        slots->given_back = slot->next;
        slot->next = slots->free;
        slots->free = slot;
    }
}

void *slots_at(const struct slots *slots, unsigned number)
{
    return slots->base + slots->size * number;
}
