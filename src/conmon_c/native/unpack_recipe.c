/* A layer's recipe (podpy's tar-split): reproduces, with the unpacked files, the exact tar.
 *
 * Everything but the contents of files (headers, padding, bytes after the end) is recorded literally; a file's content is
 * recorded by the file's path. The recipe doesn't interpret headers, so odd ones don't matter. The reader is
 * podpy/storage/layers/recipe.py; numbers are little endian, a record begins with its letter:
 *
 *   L u32 length, bytes           literal bytes
 *   F u32 length, path            the following content is in this file
 *   D u64 offset, u64 length      a piece of that file
 *   E u64 length                  the end; the length of the whole tar
 *
 * At the end, a path still leads to the same file, unless an entry of the archive was removed again
 * (podpy_unpack_result.replaced): adding entries never changes where an existing path leads.
 */
#define _GNU_SOURCE
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "unpack_internal.h"

#define BUFFER_SIZE (128 << 10)
#define LITERAL_HEAD 5

struct recipe {
    int file;
    int64_t length; /* bytes of the tar so far */
    uint8_t *literal; /* the growing literal record in the buffer, or NULL */
    size_t used;
    uint8_t buffer[BUFFER_SIZE];
};

struct recipe *recipe_new(int file)
{
    struct recipe *recipe = malloc(sizeof *recipe);
    if (recipe) {
        recipe->file = file;
        recipe->length = 0;
        recipe->literal = NULL;
        recipe->used = 0;
    }
    return recipe;
}

void recipe_free(struct recipe *recipe)
{
    free(recipe);
}

static int flush(struct recipe *recipe, struct unpack_error *error)
{
    for (size_t done = 0; done < recipe->used;) {
        ssize_t count = write(recipe->file, recipe->buffer + done, recipe->used - done);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return unpack_fail(error, errno, "writing the layer's recipe: %s", strerror(errno));
        done += (size_t)count;
    }
    recipe->used = 0;
    recipe->literal = NULL;
    return 0;
}

static int reserve(struct recipe *recipe, size_t size, struct unpack_error *error)
{
    return BUFFER_SIZE - recipe->used < size ? flush(recipe, error) : 0;
}

static void put_number(struct recipe *recipe, uint64_t number)
{
    number = htole64(number);
    memcpy(recipe->buffer + recipe->used, &number, sizeof number);
    recipe->used += sizeof number;
}

static void put_head(struct recipe *recipe, uint8_t kind, uint32_t size)
{
    size = htole32(size);
    recipe->buffer[recipe->used++] = kind;
    memcpy(recipe->buffer + recipe->used, &size, sizeof size);
    recipe->used += sizeof size;
}

int recipe_literal(struct recipe *recipe, const uint8_t *data, size_t size, struct unpack_error *error)
{
    recipe->length += (int64_t)size;
    while (size > 0) {
        if (reserve(recipe, LITERAL_HEAD + 1, error) < 0)
            return -1;
        if (!recipe->literal) {
            recipe->literal = recipe->buffer + recipe->used;
            put_head(recipe, 'L', 0);
        }
        size_t room = BUFFER_SIZE - recipe->used;
        size_t part = size < room ? size : room;
        memcpy(recipe->buffer + recipe->used, data, part);
        recipe->used += part;
        uint32_t total = htole32((uint32_t)(recipe->buffer + recipe->used - recipe->literal - LITERAL_HEAD));
        memcpy(recipe->literal + 1, &total, sizeof total);
        data += part;
        size -= part;
    }
    return 0;
}

static int put_extent(struct recipe *recipe, int64_t offset, int64_t size, struct unpack_error *error)
{
    if (size == 0)
        return 0;
    if (reserve(recipe, 1 + 2 * sizeof(uint64_t), error) < 0)
        return -1;
    recipe->buffer[recipe->used++] = 'D';
    put_number(recipe, (uint64_t)offset);
    put_number(recipe, (uint64_t)size);
    recipe->length += size;
    return 0;
}

int recipe_file(struct recipe *recipe, const char *path, const struct tar_entry *entry, struct unpack_error *error)
{
    size_t size = strlen(path);
    if (reserve(recipe, LITERAL_HEAD + size, error) < 0) /* a path is shorter than PATH_MAX: see path_clean */
        return -1;
    put_head(recipe, 'F', (uint32_t)size);
    memcpy(recipe->buffer + recipe->used, path, size);
    recipe->used += size;
    recipe->literal = NULL;
    if (!entry->sparse)
        return put_extent(recipe, 0, entry->size, error);
    for (size_t i = 0; i < entry->extent_count; i++)
        if (put_extent(recipe, entry->extents[i].offset, entry->extents[i].size, error) < 0)
            return -1;
    return 0;
}

int recipe_end(struct recipe *recipe, struct unpack_error *error)
{
    if (reserve(recipe, 1 + sizeof(uint64_t), error) < 0)
        return -1;
    recipe->buffer[recipe->used++] = 'E';
    put_number(recipe, (uint64_t)recipe->length);
    return flush(recipe, error);
}
