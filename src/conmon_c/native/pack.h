#ifndef PODPY_PACK_H
#define PODPY_PACK_H

#include <stddef.h>
#include <stdint.h>

#include "tree_copy.h"

/* Flags of podpy_pack_start. */
enum {
    PODPY_PACK_DIFF = 1, /* a container's own layer: overlay's whiteouts and opaque directories become OCI's */
    PODPY_PACK_CROSS = 2, /* include mounts in the tree; else a mount point is an empty directory */
    PODPY_PACK_TOP = 4, /* without a name: include the directory itself, as "./" */
    PODPY_PACK_SPARSE = 8, /* files with holes in GNU's format 1.0; else holes become zeros */
    PODPY_PACK_WHITEOUT_NAMES = 16, /* DIFF: names that begin with .wh. are already whiteouts (fuse-overlayfs) */
    PODPY_PACK_USERNS = 32, /* not in the initial user namespace */
};

struct podpy_pack_options {
    unsigned flags;
    const char *name; /* the name of the tree's top; empty: entries have their names in the tree */
    const char *const *excluded; /* paths in the tree to leave out, with everything below them */
    size_t excluded_count;
    const struct podpy_id_map *uid_maps; /* owners `outside` are written as `inside` */
    size_t uid_count;
    const struct podpy_id_map *gid_maps;
    size_t gid_count;
};

struct podpy_pack_result {
    int code; /* 0, or an errno of what failed */
    int failed;
    int output_failed; /* writing the archive failed */
    int64_t entries;
    int64_t bytes; /* of the archive */
    int64_t sockets; /* left out: tar has none */
    int64_t mounted; /* files left out because they are mount points */
    int64_t shrunk; /* files that became shorter while they were read: padded with zeros */
    char first_shrunk[256];
    char text[512];
};

struct podpy_pack;
/* Starts a child process that writes a tar of `source` (a directory, a regular file opened for reading, or anything else by
 * O_PATH) to the descriptor `output`. The options are needed only until this returns. NULL with errno if there is no child. */
struct podpy_pack *podpy_pack_start(int source, int output, const struct podpy_pack_options *options);
/* The same, into an unpacker: from that child to this one through shared memory. NULL with ENOSYS on a kernel without
 * pidfd_open(2). */
struct podpy_unpack;
struct podpy_pack *podpy_pack_into(int source, struct podpy_unpack *target, const struct podpy_pack_options *options);
/* Waits; returns 0 when the child has ended, 1 if a signal arrived first. */
int podpy_pack_wait(struct podpy_pack *pack);
/* Waits and frees; returns 0, or -1 if the archive is incomplete. */
int podpy_pack_finish(struct podpy_pack *pack, struct podpy_pack_result *result);
void podpy_pack_abort(struct podpy_pack *pack);
/* In this process, for the sanitizers. */
int podpy_pack_here(int source, int output, const struct podpy_pack_options *options, struct podpy_pack_result *result);

#endif
