/* Sparse files: GNU tar's formats 0.0 and 0.1 (map in the extended header) and 1.0 (map before the data).
 * The old GNU format ('S' headers) is read in unpack_tar.c. GNU tar's manual, appendix "Storing Sparse Files".
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "unpack_internal.h"

int tar_add_extent(struct tar_extent **extents, size_t *count, int64_t offset, int64_t size,
                   struct unpack_error *error)
{
    if (*count >= TAR_MAX_SPARSE)
        return unpack_fail(error, 0, "a sparse file has more than %d pieces", TAR_MAX_SPARSE);
    if ((*count & (*count + 1)) == 0 || !*extents) { /* grow at 0, 1, 3, 7 …: doubled */
        struct tar_extent *grown = reallocarray(*extents, *count * 2 + 2, sizeof *grown);
        if (!grown)
            return unpack_fail(error, ENOMEM, "out of memory");
        *extents = grown;
    }
    (*extents)[(*count)++] = (struct tar_extent){ .offset = offset, .size = size };
    return 0;
}

/* Format 0.1: "offset,size,offset,size…" */
int tar_parse_sparse_map(struct tar_extended *extended, const char *text, size_t size, struct unpack_error *error)
{
    int64_t offset = -1;
    extended->extent_count = 0;
    for (size_t start = 0; start <= size;) {
        const char *comma = memchr(text + start, ',', size - start);
        size_t end = comma ? (size_t)(comma - text) : size;
        int64_t number;
        if (tar_parse_decimal(text + start, end - start, &number) < 0 || number < 0)
            return unpack_fail(error, 0, "a sparse file's map isn't a list of numbers");
        if (offset < 0) {
            offset = number;
        } else {
            if (tar_add_extent(&extended->extents, &extended->extent_count, offset, number, error) < 0)
                return -1;
            offset = -1;
        }
        start = end + 1;
    }
    if (offset >= 0)
        return unpack_fail(error, 0, "a sparse file's map has an offset without a length");
    return 0;
}

int tar_check_extents(const struct tar_entry *entry, struct unpack_error *error)
{
    int64_t end = 0, total = 0;
    for (size_t i = 0; i < entry->extent_count; i++) {
        const struct tar_extent *extent = &entry->extents[i];
        if (extent->offset < end || extent->size < 0 || extent->size > INT64_MAX - extent->offset)
            return unpack_fail(error, 0, "%s: its sparse map isn't in order", entry->path);
        end = extent->offset + extent->size;
        total += extent->size; /* can't overflow: the pieces don't overlap and end below INT64_MAX */
    }
    if (end > entry->real_size || total != entry->size)
        return unpack_fail(error, 0, "%s: its sparse map doesn't fit its size", entry->path);
    return 0;
}

/* Reads a line with a number. Returns the characters used, 0 if the line is incomplete, -1 if it isn't a number. */
static ssize_t read_line(const char *text, size_t size, int64_t *number)
{
    const char *newline = memchr(text, '\n', size);
    if (!newline)
        return size > 20 ? -1 : 0;
    if (tar_parse_decimal(text, (size_t)(newline - text), number) < 0 || *number < 0)
        return -1;
    return newline - text + 1;
}

/* Format 1.0: the number of pieces, then offset and size of each, one number per line, padded to a whole block. Returns how
 * many lines the map has, from its first block; -1 if it is invalid. */
int64_t tar_sparse_prefix_lines(const struct tar_entry *entry, const char *block, struct unpack_error *error)
{
    int64_t count;
    if (read_line(block, TAR_BLOCK, &count) <= 0 || count > TAR_MAX_SPARSE)
        return unpack_fail(error, 0, "%s: its sparse map can't be read", entry->path);
    return 1 + 2 * count;
}

int tar_parse_sparse_prefix(struct tar_entry *entry, const char *text, size_t size, struct unpack_error *error)
{
    int64_t count, offset, length;
    ssize_t used = read_line(text, size, &count);
    entry->extent_count = 0;
    for (int64_t i = 0; used > 0 && i < count; i++) {
        size_t position = (size_t)used;
        ssize_t first = read_line(text + position, size - position, &offset);
        if (first <= 0)
            return unpack_fail(error, 0, "%s: its sparse map can't be read", entry->path);
        position += (size_t)first;
        ssize_t second = read_line(text + position, size - position, &length);
        if (second <= 0)
            return unpack_fail(error, 0, "%s: its sparse map can't be read", entry->path);
        used = (ssize_t)position + second;
        if (tar_add_extent(&entry->extents, &entry->extent_count, offset, length, error) < 0)
            return -1;
    }
    return 0;
}
