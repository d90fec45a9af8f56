/* Files with several names: the first one found is the file, the others are hard links to it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pack_internal.h"

#define BUCKETS (1 << 14)

struct seen {
    struct seen *next;
    dev_t device;
    ino_t inode;
    char name[];
};

struct link_table {
    struct seen *buckets[BUCKETS];
};

struct link_table *links_new(void)
{
    return calloc(1, sizeof(struct link_table));
}

void links_free(struct link_table *links)
{
    for (size_t i = 0; links && i < BUCKETS; i++)
        for (struct seen *seen = links->buckets[i], *next; seen; seen = next) {
            next = seen->next;
            free(seen);
        }
    free(links);
}

int links_find(struct link_table *links, const struct stat *status, const char *name, const char **first,
               struct unpack_error *error)
{
    *first = NULL;
    if (status->st_nlink < 2)
        return 0;
    struct seen **bucket = &links->buckets[status->st_ino % BUCKETS];
    for (struct seen *seen = *bucket; seen; seen = seen->next)
        if (seen->inode == status->st_ino && seen->device == status->st_dev) {
            *first = seen->name;
            return 0;
        }
    size_t size = strlen(name) + 1;
    struct seen *seen = malloc(sizeof *seen + size);
    if (!seen)
        return unpack_fail(error, ENOMEM, "out of memory");
    *seen = (struct seen){ .next = *bucket, .device = status->st_dev, .inode = status->st_ino };
    memcpy(seen->name, name, size);
    *bucket = seen;
    return 0;
}
