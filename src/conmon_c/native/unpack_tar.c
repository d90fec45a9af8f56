/* Parses a tar archive that arrives in pieces of any size: a state machine that passes whole entries to unpack_place.c.
 *
 * It accepts what Go's archive/tar accepts, since Podman and Docker read layers with that: two parsers that disagree about an
 * archive make attacks possible. Global pax headers are read but not applied (as there), the last one of several extended
 * headers counts, a lone zero block and unknown types are errors, everything after two zero blocks is ignored, and the input
 * may end after any entry.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "unpack_internal.h"

enum state { HEADER, META, OLD_SPARSE, SPARSE_PREFIX, DATA, PADDING, FINISHED };

struct tar_reader {
    struct place *place;
    struct recipe *recipe; /* or NULL */
    enum state state;
    uint8_t block[TAR_BLOCK];
    size_t block_used;
    bool zero_seen;
    struct tar_extended extended;
    struct tar_entry entry;
    bool entry_open;
    char meta_type;
    char *meta; /* the bytes of an extended header or a sparse map */
    size_t meta_used;
    size_t meta_size;
    int64_t prefix_lines;
    int64_t left;
    size_t padding;
};

struct tar_reader *tar_reader_new(struct place *place, struct recipe *recipe)
{
    struct tar_reader *reader = calloc(1, sizeof *reader);
    if (reader) {
        reader->place = place;
        reader->recipe = recipe;
        tar_extended_reset(&reader->extended);
    }
    return reader;
}

void tar_reader_free(struct tar_reader *reader)
{
    if (!reader)
        return;
    tar_extended_reset(&reader->extended);
    tar_entry_reset(&reader->entry);
    free(reader->meta);
    free(reader);
}

static size_t padding_of(int64_t size)
{
    return (size_t)(-size & (TAR_BLOCK - 1));
}

static int close_entry(struct tar_reader *reader, struct unpack_error *error)
{
    reader->entry_open = false;
    int result = place_end_entry(reader->place, error);
    tar_entry_reset(&reader->entry);
    return result;
}

/* The header is complete: the entry begins, its data follows. */
static int open_entry(struct tar_reader *reader, struct unpack_error *error)
{
    struct tar_entry *entry = &reader->entry;
    if (entry->sparse && tar_check_extents(entry, error) < 0)
        return -1;
    if (place_begin(reader->place, entry, error) < 0)
        return -1;
    reader->entry_open = true;
    reader->left = entry->size;
    reader->padding = padding_of(entry->size);
    if (reader->left == 0) {
        reader->state = HEADER;
        return close_entry(reader, error);
    }
    reader->state = DATA;
    const char *path = reader->recipe ? place_path(reader->place) : NULL;
    return path ? recipe_file(reader->recipe, path, entry, error) : 0;
}

static void take(char **target, char **source)
{
    if (!*source || !**source)
        return;
    free(*target);
    *target = *source;
    *source = NULL;
}

static int apply_sparse(struct tar_reader *reader, struct unpack_error *error)
{
    struct tar_entry *entry = &reader->entry;
    struct tar_extended *extended = &reader->extended;
    bool version_one = extended->sparse_major == 1 && extended->sparse_minor == 0;
    bool version_zero = extended->sparse_major <= 0 && extended->has_sparse;
    if (entry->type != '0' || (!version_one && !version_zero)) {
        if (extended->sparse_major > 0 && entry->type == '0')
            return unpack_fail(error, 0, "%s: a sparse format that podpy doesn't know", entry->path);
        return 0;
    }
    take(&entry->path, &extended->sparse_name);
    entry->sparse = true;
    entry->real_size = extended->has_real_size ? extended->real_size : entry->size;
    if (version_one) {
        reader->state = SPARSE_PREFIX;
        reader->meta_used = 0;
        reader->prefix_lines = 0;
        return 0;
    }
    free(entry->extents);
    entry->extents = extended->extents;
    entry->extent_count = extended->extent_count;
    extended->extents = NULL;
    extended->extent_count = 0;
    return 0;
}

static int apply_extended(struct tar_reader *reader, struct unpack_error *error)
{
    struct tar_entry *entry = &reader->entry;
    struct tar_extended *extended = &reader->extended;
    take(&entry->path, &extended->path);
    take(&entry->link, &extended->link);
    take(&entry->path, &extended->long_path);
    take(&entry->link, &extended->long_link);
    if (extended->has_size)
        entry->size = entry->real_size = extended->size;
    if (extended->has_uid)
        entry->uid = extended->uid;
    if (extended->has_gid)
        entry->gid = extended->gid;
    if (extended->has_mtime)
        entry->mtime = extended->mtime;
    entry->xattrs = extended->xattrs;
    entry->xattr_count = extended->xattr_count;
    extended->xattrs = NULL;
    extended->xattr_count = 0;
    if (strchr("123456", entry->type)) /* these have no data, whatever their header says */
        entry->size = entry->real_size = 0;
    if (entry->size > INT64_MAX - TAR_BLOCK)
        return unpack_fail(error, 0, "%s: its size is absurd", entry->path);
    reader->state = DATA;
    int result = apply_sparse(reader, error);
    tar_extended_reset(extended);
    return result;
}

/* Four pieces in the header, 21 in each block that follows. */
static int read_old_sparse(struct tar_reader *reader, const uint8_t *fields, int count, struct unpack_error *error)
{
    struct tar_entry *entry = &reader->entry;
    for (int i = 0; i < count; i++, fields += 24) {
        int64_t offset, size;
        if (fields[0] == 0)
            break;
        if (tar_decode_number(fields, 12, &offset) < 0 || tar_decode_number(fields + 12, 12, &size) < 0 || offset < 0)
            return unpack_fail(error, 0, "%s: its sparse map can't be read", entry->path);
        if (tar_add_extent(&entry->extents, &entry->extent_count, offset, size, error) < 0)
            return -1;
    }
    return 0;
}

static int begin_old_sparse(struct tar_reader *reader, struct unpack_error *error)
{
    struct tar_entry *entry = &reader->entry;
    entry->type = '0';
    if (apply_extended(reader, error) < 0)
        return -1;
    entry->sparse = true;
    if (tar_decode_number(reader->block + 483, 12, &entry->real_size) < 0 || entry->real_size < 0)
        return unpack_fail(error, 0, "%s: its size can't be read", entry->path);
    if (read_old_sparse(reader, reader->block + 386, 4, error) < 0)
        return -1;
    if (reader->block[482]) {
        reader->state = OLD_SPARSE;
        return 0;
    }
    return open_entry(reader, error);
}

static int begin_meta(struct tar_reader *reader, struct unpack_error *error)
{
    int64_t size = reader->entry.size;
    if (size > TAR_MAX_META)
        return unpack_fail(error, 0, "an extended header has %lld bytes, more than %d", (long long)size, TAR_MAX_META);
    reader->meta_type = reader->entry.type;
    reader->meta_used = 0;
    reader->left = size;
    reader->padding = padding_of(size);
    tar_entry_reset(&reader->entry);
    reader->state = META;
    return 0;
}

static int reserve_meta(struct tar_reader *reader, size_t more, struct unpack_error *error)
{
    size_t wanted = reader->meta_used + more + 1;
    if (wanted <= reader->meta_size)
        return 0;
    char *grown = realloc(reader->meta, wanted * 2);
    if (!grown)
        return unpack_fail(error, ENOMEM, "out of memory");
    reader->meta = grown;
    reader->meta_size = wanted * 2;
    return 0;
}

/* Another extended header follows: it replaces the one before. GNU's long names are headers of another kind. */
static void forget_pax(struct tar_extended *extended)
{
    char *path = extended->long_path, *link = extended->long_link;
    extended->long_path = extended->long_link = NULL;
    tar_extended_reset(extended);
    extended->long_path = path;
    extended->long_link = link;
}

static int end_meta(struct tar_reader *reader, struct unpack_error *error)
{
    struct tar_extended *extended = &reader->extended;
    if (reserve_meta(reader, 0, error) < 0)
        return -1;
    reader->meta[reader->meta_used] = '\0';
    reader->state = HEADER;
    if (reader->meta_type == 'x') {
        forget_pax(extended);
        return tar_parse_pax(extended, reader->meta, reader->meta_used, error);
    }
    if (reader->meta_type == 'g') {
        /* Checked, then dropped, with the headers before it: Go's reader treats it as a separate entry. */
        tar_extended_reset(extended);
        int result = tar_parse_pax(extended, reader->meta, reader->meta_used, error);
        tar_extended_reset(extended);
        return result;
    }
    char *text = strdup(reader->meta); /* GNU: ends at its NUL */
    if (!text)
        return unpack_fail(error, ENOMEM, "out of memory");
    char **target = reader->meta_type == 'L' ? &extended->long_path : &extended->long_link;
    free(*target);
    *target = text;
    return 0;
}

static int read_zero_block(struct tar_reader *reader, struct unpack_error *error)
{
    (void)error;
    if (reader->zero_seen)
        reader->state = FINISHED;
    reader->zero_seen = true;
    return 0;
}

static int read_header(struct tar_reader *reader, struct unpack_error *error)
{
    struct tar_entry *entry = &reader->entry;
    if (tar_is_zero(reader->block))
        return read_zero_block(reader, error);
    if (reader->zero_seen)
        return unpack_fail(error, 0, "a header follows a lone zero block");
    tar_entry_reset(entry);
    if (tar_decode_header(reader->block, entry, error) < 0)
        return -1;
    switch (entry->type) {
    case 'x':
    case 'g':
    case 'L':
    case 'K':
        return begin_meta(reader, error);
    case 'S':
        return begin_old_sparse(reader, error);
    case '7':
        entry->type = '0';
        break;
    case '0':
    case '1':
    case '2':
    case '3':
    case '4':
    case '5':
    case '6':
        break;
    default:
        return unpack_fail(error, 0, "%s: entries of type 0x%02x aren't known", entry->path, (unsigned char)entry->type);
    }
    if (apply_extended(reader, error) < 0)
        return -1;
    return reader->state == SPARSE_PREFIX ? 0 : open_entry(reader, error);
}

static int read_sparse_prefix(struct tar_reader *reader, struct unpack_error *error)
{
    struct tar_entry *entry = &reader->entry;
    if (entry->size < TAR_BLOCK)
        return unpack_fail(error, 0, "%s: its sparse map is cut off", entry->path);
    if (reader->meta_used >= TAR_MAX_META) /* the limit of every header: a map without newlines would have no end */
        return unpack_fail(error, 0, "%s: its sparse map has more than %d bytes", entry->path, TAR_MAX_META);
    if (reserve_meta(reader, TAR_BLOCK, error) < 0)
        return -1;
    if (reader->meta_used == 0) {
        reader->prefix_lines = tar_sparse_prefix_lines(entry, (const char *)reader->block, error);
        if (reader->prefix_lines < 0)
            return -1;
    }
    memcpy(reader->meta + reader->meta_used, reader->block, TAR_BLOCK);
    reader->meta_used += TAR_BLOCK;
    entry->size -= TAR_BLOCK;
    for (int i = 0; i < TAR_BLOCK; i++)
        reader->prefix_lines -= reader->block[i] == '\n';
    if (reader->prefix_lines > 0)
        return 0;
    if (tar_parse_sparse_prefix(entry, reader->meta, reader->meta_used, error) < 0)
        return -1;
    return open_entry(reader, error);
}

static int read_block(struct tar_reader *reader, struct unpack_error *error)
{
    reader->block_used = 0;
    if (reader->state == HEADER)
        return read_header(reader, error);
    if (reader->state == SPARSE_PREFIX)
        return read_sparse_prefix(reader, error);
    if (read_old_sparse(reader, reader->block, 21, error) < 0)
        return -1;
    return reader->block[504] ? 0 : open_entry(reader, error);
}

static int read_data(struct tar_reader *reader, const uint8_t *data, size_t size, struct unpack_error *error)
{
    if (reader->state == DATA) {
        if (place_data(reader->place, data, size, error) < 0)
            return -1;
    } else {
        if (reserve_meta(reader, size, error) < 0)
            return -1;
        memcpy(reader->meta + reader->meta_used, data, size);
        reader->meta_used += size;
    }
    reader->left -= (int64_t)size;
    return 0;
}

/* The last byte of an entry, or of an extended header, has been read. */
static int end_data(struct tar_reader *reader, struct unpack_error *error)
{
    enum state ended = reader->state;
    if (ended == META ? end_meta(reader, error) < 0 : close_entry(reader, error) < 0)
        return -1;
    reader->state = reader->padding ? PADDING : HEADER;
    return 0;
}

/* Returns how many of `size` bytes belong to the present state. */
static size_t piece_size(const struct tar_reader *reader, size_t size)
{
    uint64_t wanted;
    if (reader->state == DATA || reader->state == META)
        wanted = (uint64_t)reader->left;
    else if (reader->state == PADDING)
        wanted = reader->padding;
    else
        wanted = TAR_BLOCK - reader->block_used;
    return wanted < size ? (size_t)wanted : size;
}

/* A file's content isn't recorded: open_entry has recorded its path. */
static int write_recipe(struct tar_reader *reader, const uint8_t *data, size_t size, struct unpack_error *error)
{
    if (!reader->recipe || (reader->state == DATA && place_path(reader->place)))
        return 0;
    return recipe_literal(reader->recipe, data, size, error);
}

static int read_piece(struct tar_reader *reader, const uint8_t *data, size_t size, struct unpack_error *error)
{
    if (reader->state == DATA || reader->state == META)
        return read_data(reader, data, size, error);
    if (reader->state == PADDING) {
        reader->padding -= size;
        if (reader->padding == 0)
            reader->state = HEADER;
        return 0;
    }
    memcpy(reader->block + reader->block_used, data, size);
    reader->block_used += size;
    return reader->block_used == TAR_BLOCK ? read_block(reader, error) : 0;
}

int tar_reader_feed(struct tar_reader *reader, const uint8_t *data, size_t size, struct unpack_error *error)
{
    while (size > 0 && reader->state != FINISHED) {
        size_t used = piece_size(reader, size);
        if (write_recipe(reader, data, used, error) < 0 || read_piece(reader, data, used, error) < 0)
            return -1;
        data += used;
        size -= used;
        if ((reader->state == DATA || reader->state == META) && reader->left == 0 && end_data(reader, error) < 0)
            return -1;
    }
    return size > 0 ? write_recipe(reader, data, size, error) : 0;
}

int64_t tar_reader_left(const struct tar_reader *reader)
{
    bool is_plain = reader->state == DATA && !reader->recipe && !reader->entry.sparse && place_path(reader->place);
    return is_plain ? reader->left : 0;
}

int64_t tar_reader_send(struct tar_reader *reader, int source, size_t size, struct unpack_error *error)
{
    int64_t sent = place_send(reader->place, source, size, error);
    if (sent < 0)
        return -1;
    reader->left -= sent;
    return reader->left == 0 && end_data(reader, error) < 0 ? -1 : sent;
}

bool tar_reader_complete(const struct tar_reader *reader)
{
    return reader->state == FINISHED;
}

static bool has_extended(const struct tar_extended *extended)
{
    return extended->path || extended->link || extended->long_path || extended->long_link || extended->has_size
           || extended->xattr_count;
}

int tar_reader_end(struct tar_reader *reader, struct unpack_error *error)
{
    /* The last entry's padding may be missing: Go's reader accepts that, too. */
    if (reader->state == FINISHED || reader->state == PADDING
        || (reader->state == HEADER && reader->block_used == 0 && !has_extended(&reader->extended)))
        return reader->recipe ? recipe_end(reader->recipe, error) : 0;
    return unpack_fail(error, 0, "the archive is cut off%s%s", reader->entry_open ? " in " : "",
                       reader->entry_open ? reader->entry.path : "");
}
