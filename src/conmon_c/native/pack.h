#ifndef PODPY_PACK_H
#define PODPY_PACK_H

#include <stddef.h>
#include <stdint.h>

#include "tree_copy.h"

/* Flags of podpy_pack_start. */
enum {
    PODPY_PACK_DIFF = 1, /* a container's own layer: overlay's whiteouts and opaque directories become OCI's */
    PODPY_PACK_CROSS = 2, /* what is mounted in the tree comes along; else a mounted directory is an empty one */
    PODPY_PACK_TOP = 4, /* without a name: the directory itself comes, too, as "./" */
    PODPY_PACK_SPARSE = 8, /* files with holes in GNU's format 1.0; else holes are zeros */
    PODPY_PACK_WHITEOUT_NAMES = 16, /* DIFF: names that begin with .wh. are whiteouts already (fuse-overlayfs) */
    PODPY_PACK_USERNS = 32, /* not the first user namespace */
};

struct podpy_pack_options {
    unsigned flags;
    const char *name; /* what the tree's top is called; empty: the entries are called as they are in it */
    const char *const *excluded; /* paths in the tree that are left out, with what is below them */
    size_t excluded_count;
    const struct podpy_id_map *uid_maps; /* owners `outside` are written as those `inside` */
    size_t uid_count;
    const struct podpy_id_map *gid_maps;
    size_t gid_count;
};

struct podpy_pack_result {
    int code; /* 0, or an errno of what failed */
    int failed;
    int output_failed; /* it was the writing of the archive */
    int64_t entries;
    int64_t bytes; /* of the archive */
    int64_t sockets; /* left out: tar has none */
    int64_t mounted; /* files left out because something is mounted over them */
    int64_t shrunk; /* files that became shorter while they were read: zeros stand for the rest */
    char first_shrunk[256];
    char text[512];
};

struct podpy_pack;
/* Begins to write a tar of `source` (a directory, a regular file opened for reading, or anything else by O_PATH) to the
 * descriptor `output`, in a child process. The options must stay only until this returns. NULL with errno if there is no child. */
struct podpy_pack *podpy_pack_start(int source, int output, const struct podpy_pack_options *options);
/* Returns 0 when the child has ended, 1 if a signal came first. */
int podpy_pack_wait(struct podpy_pack *pack);
/* Waits, frees, returns 0 or -1 if the archive isn't whole. */
int podpy_pack_finish(struct podpy_pack *pack, struct podpy_pack_result *result);
void podpy_pack_abort(struct podpy_pack *pack);
/* In this process, for the sanitizers. */
int podpy_pack_here(int source, int output, const struct podpy_pack_options *options, struct podpy_pack_result *result);

#endif
