/* The content of a regular file: exactly as many bytes as its header says, even if the file changes meanwhile.
 *
 * A file's holes become zeros, without reading them; or (PODPY_PACK_SPARSE) only a map of the pieces and the pieces are
 * written: GNU's format 1.0, which GNU tar, bsdtar, Go's archive/tar and podpy's unpacker read.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pack_internal.h"

#define BLOCK_OF_STAT 512 /* st_blocks' unit, stat(2) */
#define MOST_PIECES 20000 /* as many as fit into a map that readers accept (TAR_MAX_META) */

struct pieces {
    struct tar_extent *list;
    size_t count;
    size_t room;
};

static bool may_have_holes(const struct stat *status)
{
    return status->st_size > 0 && (int64_t)status->st_blocks * BLOCK_OF_STAT < status->st_size;
}

/* Sets `start` and `end` to the next piece that isn't a hole; false if there is none up to `size`. */
static bool next_piece(int file, int64_t from, int64_t size, int64_t *start, int64_t *end)
{
    *start = lseek(file, from, SEEK_DATA);
    if (*start < 0 && errno == ENXIO)
        return false;
    if (*start < 0) { /* the file system doesn't support it */
        *start = from;
        *end = size;
        return from < size;
    }
    if (*start >= size)
        return false;
    *end = lseek(file, *start, SEEK_HOLE);
    if (*end <= *start || *end > size)
        *end = size;
    return true;
}

static int add_piece(struct pieces *pieces, int64_t offset, int64_t size, struct unpack_error *error)
{
    if (pieces->count == pieces->room) {
        size_t room = pieces->room ? pieces->room * 2 : 64;
        struct tar_extent *grown = reallocarray(pieces->list, room, sizeof *grown);
        if (!grown)
            return unpack_fail(error, ENOMEM, "out of memory");
        pieces->list = grown;
        pieces->room = room;
    }
    pieces->list[pieces->count++] = (struct tar_extent){ .offset = offset, .size = size };
    return 0;
}

/* Returns 1 if the file has holes worth a map, else 0; -1 on error. */
static int find_pieces(int file, int64_t size, struct pieces *pieces, struct unpack_error *error)
{
    int64_t start, end, data = 0;
    for (int64_t from = 0; next_piece(file, from, size, &start, &end); from = end) {
        if (pieces->count == MOST_PIECES)
            return 0;
        if (add_piece(pieces, start, end - start, error) < 0)
            return -1;
        data += end - start;
    }
    if (data == size)
        return 0;
    /* GNU tar makes a file end at its last piece, so a hole at the end needs a piece without bytes. */
    bool reaches_end = pieces->count && pieces->list[pieces->count - 1].offset + pieces->list[pieces->count - 1].size == size;
    return !reaches_end && add_piece(pieces, size, 0, error) < 0 ? -1 : 1;
}

static void note_shrunk(struct packer *packer)
{
    if (packer->result->shrunk++ == 0)
        snprintf(packer->result->first_shrunk, sizeof packer->result->first_shrunk, "%s", packer->path.data);
}

static int copy_piece(struct packer *packer, int file, int64_t offset, int64_t size, bool *shrunk,
                      struct unpack_error *error)
{
    int64_t done = output_copy(packer->output, file, offset, size, packer->path.data, error);
    if (done < 0)
        return -1;
    *shrunk |= done < size;
    return output_zeros(packer->output, size - done, error);
}

static int copy_whole(struct packer *packer, int file, const struct stat *status, bool *shrunk, struct unpack_error *error)
{
    int64_t start, end, from = 0, size = status->st_size;
    if (!may_have_holes(status))
        return copy_piece(packer, file, 0, size, shrunk, error);
    for (; next_piece(file, from, size, &start, &end); from = end)
        if (output_zeros(packer->output, start - from, error) < 0
            || copy_piece(packer, file, start, end - start, shrunk, error) < 0)
            return -1;
    struct stat now;
    if (from < size && fstat(file, &now) == 0 && now.st_size < size) /* no hole: the file ends here now */
        *shrunk = true;
    return output_zeros(packer->output, size - from, error);
}

static int append_number(struct text *text, int64_t number, struct unpack_error *error)
{
    char line[32];
    int size = snprintf(line, sizeof line, "%lld\n", (long long)number);
    return text_append(text, line, (size_t)size, error);
}

static int make_map(const struct pieces *pieces, struct text *map, struct unpack_error *error)
{
    if (append_number(map, (int64_t)pieces->count, error) < 0)
        return -1;
    for (size_t i = 0; i < pieces->count; i++)
        if (append_number(map, pieces->list[i].offset, error) < 0 || append_number(map, pieces->list[i].size, error) < 0)
            return -1;
    return 0;
}

static int write_pieces(struct packer *packer, int file, const struct pieces *pieces, struct head *head, bool *shrunk,
                        struct unpack_error *error)
{
    struct text map = { 0 };
    int result = make_map(pieces, &map, error);
    int64_t mapped = ((int64_t)map.size + TAR_BLOCK - 1) / TAR_BLOCK * TAR_BLOCK, data = 0;
    for (size_t i = 0; i < pieces->count; i++)
        data += pieces->list[i].size;
    head->real_size = head->size;
    head->size = mapped + data;
    if (result == 0)
        result = pack_header(packer, head, error);
    if (result == 0)
        result = output_write(packer->output, map.data, map.size, error);
    if (result == 0)
        result = output_pad(packer->output, (int64_t)map.size, error);
    for (size_t i = 0; i < pieces->count && result == 0; i++)
        result = copy_piece(packer, file, pieces->list[i].offset, pieces->list[i].size, shrunk, error);
    text_free(&map);
    return result;
}

int pack_content(struct packer *packer, int file, const struct stat *status, struct head *head, struct unpack_error *error)
{
    struct pieces pieces = { 0 };
    bool shrunk = false;
    int sparse = 0;
    if ((packer->options->flags & PODPY_PACK_SPARSE) && may_have_holes(status))
        sparse = find_pieces(file, status->st_size, &pieces, error);
    int result = sparse < 0 ? -1 : 0;
    if (sparse > 0)
        result = write_pieces(packer, file, &pieces, head, &shrunk, error);
    else if (result == 0 && (result = pack_header(packer, head, error)) == 0)
        result = copy_whole(packer, file, status, &shrunk, error);
    free(pieces.list);
    if (shrunk)
        note_shrunk(packer);
    return result < 0 ? -1 : output_pad(packer->output, head->size, error);
}
