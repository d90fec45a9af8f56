/* The unpacker without its child, for the sanitizers: unpack_main DIRECTORY CHUNK FILE… unpacks each FILE into DIRECTORY. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "unpack.h"

int main(int argc, char **argv)
{
    static unsigned char data[8 << 20];
    struct podpy_unpack_options options = { .bytes = 64 << 20, .entries = 10000 };
    for (int i = 3; i < argc; i++) {
        struct podpy_unpack_result result;
        int target = open(argv[1], O_RDONLY | O_DIRECTORY);
        int recipe = open("/dev/null", O_WRONLY);
        int file = open(argv[i], O_RDONLY);
        ssize_t size = read(file, data, sizeof data);
        if (target < 0 || recipe < 0 || size < 0)
            return 2;
        podpy_unpack_here(target, recipe, PODPY_UNPACK_USERNS | PODPY_UNPACK_SINGLE_ID, &options, data, (size_t)size,
                          (size_t)atoi(argv[2]), &result);
        close(file);
        close(recipe);
        if (podpy_tree_remove(target, "..podpy-never") < 0)
            return 3;
        close(target);
        puts(result.failed ? result.text : "ok");
    }
    return 0;
}
