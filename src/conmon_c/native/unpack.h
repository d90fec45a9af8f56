#ifndef PODPY_UNPACK_H
#define PODPY_UNPACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tree_copy.h"

/* Flags of podpy_unpack_start. */
enum {
    PODPY_UNPACK_USERNS = 1, /* not in the initial user namespace: no devices, overlay's attributes are user.* */
    PODPY_UNPACK_SINGLE_ID = 2, /* only one id is mapped: unmapped owners become that one */
    PODPY_UNPACK_OPAQUE_FILE = 4, /* .wh..wh..opq stays a file: a file system without user.* attributes */
    PODPY_UNPACK_PLAIN = 8, /* no layer: files for a directory of the user, which may not be empty */
    PODPY_UNPACK_OVERWRITE = 16, /* PLAIN: a file may replace a directory, and a directory a file */
    PODPY_UNPACK_MARK = 32, /* PLAIN: `implied` directories get the marking time of a layer, to be found again */
    PODPY_UNPACK_FILE = 64, /* PLAIN: nobody feeds; `recipe` is a regular file with the archive, read from its position on */
};

struct podpy_unpack_options {
    int64_t bytes; /* the limit for all files together */
    int64_t entries;
    /* The rest is for PODPY_UNPACK_PLAIN. */
    const char *prefix; /* put before each name; empty or NULL: none */
    int64_t uid; /* the owner of everything; -1: as in the archive */
    int64_t gid;
    const struct podpy_id_map *uid_maps; /* the archive's owners `inside` become `outside` */
    size_t uid_count;
    const struct podpy_id_map *gid_maps;
    size_t gid_count;
};

#define PODPY_UNPACK_IMPLIED 1

struct podpy_unpack_result {
    int code; /* 0, or an errno of what failed */
    int failed;
    int64_t entries;
    int64_t bytes;
    int64_t max_uid;
    int64_t max_gid;
    int64_t skipped_devices;
    int64_t skipped_xattrs;
    int root_seen; /* the archive has an entry for the root directory */
    int id_missing; /* an owner isn't mapped in this user namespace */
    int implied; /* directories without an entry: their time is PODPY_UNPACK_IMPLIED nanoseconds */
    int replaced; /* an entry of the archive was removed again: the recipe isn't enough */
    char text[512];
};

struct podpy_unpack;
struct podpy_unpack *podpy_unpack_start(int target, int recipe, unsigned flags, const struct podpy_unpack_options *options);
int podpy_unpack_feed(struct podpy_unpack *unpack, const uint8_t *data, size_t size);
/* A pidfd of the unpacking child, or -1: to wait for it, or for a fork that feeds (pack.c), which sees by it whether that lives. */
int podpy_unpack_open(const struct podpy_unpack *unpack);
void podpy_unpack_watch(struct podpy_unpack *unpack, int watched);
int podpy_unpack_finish(struct podpy_unpack *unpack, struct podpy_unpack_result *result);
void podpy_unpack_abort(struct podpy_unpack *unpack, struct podpy_unpack_result *result);
int podpy_unpack_here(int target, int recipe, unsigned flags, const struct podpy_unpack_options *options,
                      const uint8_t *data, size_t size, size_t chunk, struct podpy_unpack_result *result);

int64_t podpy_fs_type(const char *path);
int podpy_tree_remove(int parent, const char *base);

/* unpack_lease.c. To be called after an open(2) with O_NONBLOCK has failed: true if another process has a lease on the file, and
 * it may have given it up meanwhile, since the attempt asks for that. A plain open(2) would wait by itself, but also for the
 * other end of what has become a fifo. */
bool lease_wait(unsigned *pauses);
/* openat(2) that waits for leases; `flags` with O_NONBLOCK. */
int lease_open(int parent, const char *name, int flags);

#endif
