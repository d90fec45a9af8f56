/* The 512 bytes of a tar header: V7, ustar, star and GNU. Field offsets: POSIX.1-2017, pax, "ustar Interchange Format". */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "unpack_internal.h"

bool tar_is_zero(const uint8_t *block)
{
    return block[0] == 0 && !memcmp(block, block + 1, TAR_BLOCK - 1);
}

/* Old writers summed signed characters; both sums are accepted, as by other readers. */
static bool checksum_fits(const uint8_t *block)
{
    int64_t wanted;
    int64_t plain = 0, with_sign = 0;
    if (tar_decode_number(block + 148, 8, &wanted) < 0)
        return false;
    for (int i = 0; i < TAR_BLOCK; i++) {
        uint8_t byte = i >= 148 && i < 156 ? ' ' : block[i];
        plain += byte;
        with_sign += (int8_t)byte;
    }
    return wanted == plain || wanted == with_sign;
}

static char *join_prefix(const uint8_t *block, size_t prefix_size)
{
    size_t prefix = strnlen((const char *)block + 345, prefix_size);
    size_t name = strnlen((const char *)block, 100);
    char *path = malloc(prefix + name + 2);
    if (!path)
        return NULL;
    size_t position = 0;
    if (prefix) {
        memcpy(path, block + 345, prefix);
        path[prefix] = '/';
        position = prefix + 1;
    }
    memcpy(path + position, block, name);
    path[position + name] = '\0';
    return path;
}

static int decode_names(const uint8_t *block, struct tar_entry *entry, struct unpack_error *error)
{
    bool ustar = !memcmp(block + 257, "ustar\0", 6);
    bool star = ustar && !memcmp(block + 508, "tar\0", 4);
    entry->path = join_prefix(block, ustar ? (star ? 131 : 155) : 0);
    entry->link = strndup((const char *)block + 157, 100);
    if (!entry->path || !entry->link)
        return unpack_fail(error, ENOMEM, "out of memory");
    return 0;
}

int tar_decode_header(const uint8_t *block, struct tar_entry *entry, struct unpack_error *error)
{
    int64_t mode = 0, mtime = 0, major = 0, minor = 0;
    bool magic = !memcmp(block + 257, "ustar", 5);
    if (!checksum_fits(block))
        return unpack_fail(error, 0, "a header's checksum is wrong: this isn't a tar, or it is damaged");
    if (decode_names(block, entry, error) < 0)
        return -1;
    if (tar_decode_number(block + 100, 8, &mode) < 0 || tar_decode_number(block + 108, 8, &entry->uid) < 0
        || tar_decode_number(block + 116, 8, &entry->gid) < 0 || tar_decode_number(block + 124, 12, &entry->size) < 0
        || tar_decode_number(block + 136, 12, &mtime) < 0)
        return unpack_fail(error, 0, "%s: a number in its header can't be read", entry->path);
    if (magic && (tar_decode_number(block + 329, 8, &major) < 0 || tar_decode_number(block + 337, 8, &minor) < 0))
        return unpack_fail(error, 0, "%s: its device number can't be read", entry->path);
    if (entry->size < 0)
        return unpack_fail(error, 0, "%s: its size is negative", entry->path);
    entry->type = block[156] ? (char)block[156] : '0';
    size_t length = strlen(entry->path);
    if (block[156] == 0 && length && entry->path[length - 1] == '/')
        entry->type = '5'; /* before POSIX, a directory was a file whose name ends with a slash */
    entry->mode = (mode_t)mode & 07777;
    entry->mtime = (struct timespec){ .tv_sec = mtime };
    entry->major = (unsigned)major;
    entry->minor = (unsigned)minor;
    entry->real_size = entry->size;
    return 0;
}

void tar_entry_reset(struct tar_entry *entry)
{
    free(entry->path);
    free(entry->link);
    free(entry->extents);
    tar_free_xattrs(&entry->xattrs, &entry->xattr_count);
    *entry = (struct tar_entry){ 0 };
}
