/* Headers: POSIX ustar, as Go's archive/tar writes them for Podman and Docker. A pax header precedes one with values that
 * ustar can't hold: long names, large ids and sizes, fractions of seconds, attributes, holes (pax(1), "pax Extended Header").
 * The same tree gives the same bytes, whoever packs it and whenever.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "pack_internal.h"

#define NAME_SIZE 100
#define PREFIX_SIZE 155
#define LARGEST_ID 07777777
#define LARGEST_SIZE 077777777777LL
#define PAX_NAME "PaxHeaders.0/"
#define SPARSE_NAME "GNUSparseFile.0/"

/* The fields of a header block (tar.h has only values). */
struct block {
    char name[NAME_SIZE], mode[8], uid[8], gid[8], size[12], mtime[12], checksum[8], type;
    char link[NAME_SIZE], magic[6], version[2], uname[32], gname[32], major[8], minor[8], prefix[PREFIX_SIZE], unused[12];
};
_Static_assert(sizeof(struct block) == TAR_BLOCK, "a header has 512 bytes");

static void put_octal(char *field, size_t size, uint64_t value)
{
    field[size - 1] = '\0';
    for (size_t i = size - 1; i-- > 0; value >>= 3)
        field[i] = (char)('0' + (value & 7));
}

static void put_checksum(struct block *block)
{
    const uint8_t *bytes = (const uint8_t *)block;
    unsigned sum = 0;
    memset(block->checksum, ' ', sizeof block->checksum);
    for (size_t i = 0; i < TAR_BLOCK; i++)
        sum += bytes[i];
    put_octal(block->checksum, 7, sum);
}

static void put_text(char *field, size_t size, const char *text)
{
    size_t length = strlen(text);
    memcpy(field, text, length < size ? length : size);
}

static const char *base_of(const char *name)
{
    const char *slash = strrchr(name, '/');
    return slash && slash[1] ? slash + 1 : name;
}

/* A name of 101 to 256 bytes is split at a slash, if there is one at a suitable position. */
static bool put_name(struct block *block, const char *name)
{
    size_t length = strlen(name);
    if (length <= NAME_SIZE) {
        memcpy(block->name, name, length);
        return true;
    }
    for (size_t split = length > PREFIX_SIZE ? PREFIX_SIZE : length - 1; split > 0; split--)
        if (name[split] == '/' && length - split - 1 <= NAME_SIZE && length - split > 1) {
            memcpy(block->prefix, name, split);
            memcpy(block->name, name + split + 1, length - split - 1);
            return true;
        }
    put_text(block->name, NAME_SIZE, name);
    return false;
}

/* "LENGTH KEY=VALUE\n", where the length counts its own digits. */
static int put_record(struct text *records, const char *key, const void *value, size_t size, struct unpack_error *error)
{
    char digits[32];
    size_t rest = strlen(key) + size + 3, length = rest + 1;
    while ((size_t)snprintf(digits, sizeof digits, "%zu", length) + rest != length)
        length = (size_t)snprintf(digits, sizeof digits, "%zu", length) + rest;
    if (text_append(records, digits, strlen(digits), error) < 0 || text_append(records, " ", 1, error) < 0
        || text_append(records, key, strlen(key), error) < 0 || text_append(records, "=", 1, error) < 0
        || text_append(records, value, size, error) < 0)
        return -1;
    return text_append(records, "\n", 1, error);
}

static int put_number(struct text *records, const char *key, int64_t value, struct unpack_error *error)
{
    char text[32];
    int size = snprintf(text, sizeof text, "%" PRId64, value);
    return put_record(records, key, text, (size_t)size, error);
}

static int put_time(struct text *records, const struct timespec *time, struct unpack_error *error)
{
    char text[48];
    int64_t seconds = time->tv_sec, part = time->tv_nsec;
    if (seconds < 0 && part > 0) { /* -0.25 is 750,000,000 ns after -1 */
        seconds++;
        part = 1000000000 - part;
    }
    const char *sign = seconds == 0 && time->tv_sec < 0 ? "-" : "";
    int size = snprintf(text, sizeof text, "%s%" PRId64 ".%09" PRId64, sign, seconds, part);
    while (text[size - 1] == '0')
        size--;
    return put_record(records, "mtime", text, (size_t)(text[size - 1] == '.' ? size - 1 : size), error);
}

static int put_xattrs(struct text *records, const struct head *head, struct unpack_error *error)
{
    char key[16 + 256] = "SCHILY.xattr.";
    size_t prefix = strlen(key);
    for (size_t i = 0; i < head->xattr_count; i++) {
        const struct tar_xattr *xattr = &head->xattrs[i];
        snprintf(key + prefix, sizeof key - prefix, "%s", xattr->name);
        if (put_record(records, key, xattr->value, xattr->size, error) < 0)
            return -1;
    }
    return 0;
}

static int put_sparse(struct text *records, const struct head *head, struct unpack_error *error)
{
    if (head->real_size < 0)
        return 0;
    if (put_number(records, "GNU.sparse.major", 1, error) < 0 || put_number(records, "GNU.sparse.minor", 0, error) < 0
        || put_record(records, "GNU.sparse.name", head->name, strlen(head->name), error) < 0)
        return -1;
    return put_number(records, "GNU.sparse.realsize", head->real_size, error);
}

static int64_t inside(const struct podpy_id_map *maps, size_t count, uint32_t id)
{
    for (size_t i = 0; i < count; i++)
        if (id >= maps[i].outside && id - maps[i].outside < maps[i].size)
            return maps[i].inside + (id - maps[i].outside);
    return id;
}

/* A reader that doesn't know the sparse format creates a file with another name, as with GNU tar. */
static int name_entry(struct block *block, struct text *records, const struct head *head, struct unpack_error *error)
{
    if (head->real_size >= 0) {
        memcpy(block->name, SPARSE_NAME, strlen(SPARSE_NAME));
        put_text(block->name + strlen(SPARSE_NAME), NAME_SIZE - strlen(SPARSE_NAME), base_of(head->name));
        return 0;
    }
    if (put_name(block, head->name))
        return 0;
    return put_record(records, "path", head->name, strlen(head->name), error);
}

/* Writes the values that fit into the block, and the others as records, in the order of their keys. */
static int fill(struct packer *packer, const struct head *head, struct block *block, struct text *records,
                struct unpack_error *error)
{
    const struct stat *status = head->status;
    const struct podpy_pack_options *options = packer->options;
    int64_t uid = inside(options->uid_maps, options->uid_count, status->st_uid);
    int64_t gid = inside(options->gid_maps, options->gid_count, status->st_gid);
    const struct timespec *time = &status->st_mtim;
    size_t link_size = head->link ? strlen(head->link) : 0;
    bool plain_time = time->tv_sec >= 0 && time->tv_sec <= LARGEST_SIZE;
    put_octal(block->mode, sizeof block->mode, status->st_mode & 07777);
    put_octal(block->uid, sizeof block->uid, uid <= LARGEST_ID ? (uint64_t)uid : 0);
    put_octal(block->gid, sizeof block->gid, gid <= LARGEST_ID ? (uint64_t)gid : 0);
    put_octal(block->size, sizeof block->size, head->size <= LARGEST_SIZE ? (uint64_t)head->size : 0);
    put_octal(block->mtime, sizeof block->mtime, plain_time ? (uint64_t)time->tv_sec : 0);
    bool is_device = head->type == '3' || head->type == '4';
    put_octal(block->major, sizeof block->major, is_device ? major(status->st_rdev) : 0);
    put_octal(block->minor, sizeof block->minor, is_device ? minor(status->st_rdev) : 0);
    block->type = head->type;
    memcpy(block->magic, "ustar", 6);
    memcpy(block->version, "00", 2);
    if (put_sparse(records, head, error) < 0 || put_xattrs(records, head, error) < 0)
        return -1;
    if (gid > LARGEST_ID && put_number(records, "gid", gid, error) < 0)
        return -1;
    if (link_size > NAME_SIZE && put_record(records, "linkpath", head->link, link_size, error) < 0)
        return -1;
    if (head->link)
        put_text(block->link, NAME_SIZE, head->link);
    if ((!plain_time || time->tv_nsec) && put_time(records, time, error) < 0)
        return -1;
    if (name_entry(block, records, head, error) < 0)
        return -1;
    if (head->size > LARGEST_SIZE && put_number(records, "size", head->size, error) < 0)
        return -1;
    return uid > LARGEST_ID ? put_number(records, "uid", uid, error) : 0;
}

static int write_records(struct packer *packer, const struct text *records, const struct head *head,
                         struct unpack_error *error)
{
    struct block block = { .type = 'x', .magic = "ustar", .version = {'0', '0'} };
    memcpy(block.name, PAX_NAME, strlen(PAX_NAME));
    put_text(block.name + strlen(PAX_NAME), NAME_SIZE - strlen(PAX_NAME), base_of(head->name));
    put_octal(block.mode, sizeof block.mode, 0644);
    put_octal(block.uid, sizeof block.uid, 0);
    put_octal(block.gid, sizeof block.gid, 0);
    put_octal(block.size, sizeof block.size, records->size);
    put_octal(block.mtime, sizeof block.mtime, 0);
    put_octal(block.major, sizeof block.major, 0);
    put_octal(block.minor, sizeof block.minor, 0);
    put_checksum(&block);
    if (records->size > TAR_MAX_META)
        return unpack_fail(error, E2BIG, "%.300s: its attributes are too large for an archive", head->name);
    if (output_write(packer->output, &block, sizeof block, error) < 0
        || output_write(packer->output, records->data, records->size, error) < 0)
        return -1;
    return output_pad(packer->output, (int64_t)records->size, error);
}

int pack_header(struct packer *packer, const struct head *head, struct unpack_error *error)
{
    struct block block = { 0 };
    struct text records = { 0 };
    int result = fill(packer, head, &block, &records, error);
    if (result == 0 && records.size)
        result = write_records(packer, &records, head, error);
    put_checksum(&block);
    if (result == 0)
        result = output_write(packer->output, &block, sizeof block, error);
    packer->result->entries++;
    text_free(&records);
    return result;
}
