#ifndef PODPY_UNPACK_H
#define PODPY_UNPACK_H

#include <stddef.h>
#include <stdint.h>

#include "tree_copy.h"

/* Flags of podpy_unpack_start. */
enum {
    PODPY_UNPACK_USERNS = 1, /* not the first user namespace: devices can't be made, overlay's marks are user.* */
    PODPY_UNPACK_SINGLE_ID = 2, /* one id is mapped: owners that don't exist here become that one */
    PODPY_UNPACK_OPAQUE_FILE = 4, /* .wh..wh..opq stays a file: a file system without user.* attributes */
    PODPY_UNPACK_PLAIN = 8, /* no layer: files for somebody's directory, in which something may be already */
    PODPY_UNPACK_OVERWRITE = 16, /* PLAIN: a file may take a directory's place, and the other way round */
    PODPY_UNPACK_MARK = 32, /* PLAIN: `implied` directories get their time as in a layer, to be found again */
};

struct podpy_unpack_options {
    int64_t bytes; /* of all files together, at most */
    int64_t entries;
    /* The rest is for PODPY_UNPACK_PLAIN. */
    const char *prefix; /* stands before each name; empty or NULL: nothing */
    int64_t uid; /* whose everything becomes; -1: as the archive says */
    int64_t gid;
    const struct podpy_id_map *uid_maps; /* the archive's owners `inside` become those `outside` */
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
    int root_seen; /* the archive says whose the root directory is and what mode it has */
    int id_missing; /* an owner isn't mapped in this user namespace */
    int implied; /* directories that no entry says anything about: their time is PODPY_UNPACK_IMPLIED nanoseconds */
    int replaced; /* something that the archive had brought was removed again: its recipe isn't enough */
    char text[512];
};

struct podpy_unpack;
struct podpy_unpack *podpy_unpack_start(int target, int recipe, unsigned flags, const struct podpy_unpack_options *options);
int podpy_unpack_feed(struct podpy_unpack *unpack, const uint8_t *data, size_t size);
int podpy_unpack_finish(struct podpy_unpack *unpack, struct podpy_unpack_result *result);
void podpy_unpack_abort(struct podpy_unpack *unpack, struct podpy_unpack_result *result);
int podpy_unpack_here(int target, int recipe, unsigned flags, const struct podpy_unpack_options *options,
                      const uint8_t *data, size_t size, size_t chunk, struct podpy_unpack_result *result);

int64_t podpy_fs_type(const char *path);
int podpy_tree_remove(int parent, const char *base);

#endif
