#ifndef PODPY_TREE_COPY_H
#define PODPY_TREE_COPY_H

#include <stddef.h>
#include <stdint.h>

struct podpy_id_map {
    uint32_t inside;
    uint32_t outside;
    uint32_t size;
};

struct podpy_copy_options {
    const struct podpy_id_map *uid_maps;
    size_t uid_count;
    const struct podpy_id_map *gid_maps;
    size_t gid_count;
    int merge; /* whiteouts and opaque directories of the source remove entries of the target */
};

int podpy_tree_copy(int source, int target, const struct podpy_copy_options *options, char *failed, size_t size);

#endif
