/* The packer without its child, for the sanitizers: pack_main FLAGS DIRECTORY writes a tar of it to standard output. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "pack.h"

int main(int argc, char **argv)
{
    static const char *const excluded[] = { "left/out" };
    struct podpy_id_map maps[] = { { .inside = 3000000, .outside = 0, .size = 1 } };
    struct podpy_pack_result result;
    struct podpy_pack_options options = { .flags = (unsigned)atoi(argc > 2 ? argv[1] : "0"), .name = "", .excluded = excluded,
                                          .excluded_count = 1, .uid_maps = maps, .uid_count = 1 };
    int source = open(argv[argc - 1], O_RDONLY);
    if (source < 0)
        return 2;
    if (podpy_pack_here(source, 1, &options, &result) < 0)
        fprintf(stderr, "%s\n", result.text);
    close(source);
    return result.failed;
}
