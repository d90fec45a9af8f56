/* pax extended headers (POSIX.1-2017, pax, "pax Extended Header"): records "LENGTH KEY=VALUE\n". */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "unpack_internal.h"

#define XATTR_PREFIX "SCHILY.xattr."

static int parse_time(const char *text, size_t size, struct timespec *time)
{
    const char *dot = memchr(text, '.', size);
    size_t whole = dot ? (size_t)(dot - text) : size;
    int64_t seconds;
    long nanoseconds = 0;
    int digits = 0;
    if (tar_parse_decimal(text, whole, &seconds) < 0)
        return -1;
    for (size_t i = whole + 1; dot && i < size; i++) {
        if (text[i] < '0' || text[i] > '9')
            return -1;
        if (digits++ < 9)
            nanoseconds = nanoseconds * 10 + (text[i] - '0');
    }
    for (; digits < 9; digits++)
        nanoseconds *= 10;
    if (text[0] == '-' && nanoseconds) { /* -1.25 s is second -2 plus 0.75 s */
        seconds -= 1;
        nanoseconds = 1000000000L - nanoseconds;
    }
    *time = (struct timespec){ .tv_sec = seconds, .tv_nsec = nanoseconds };
    return 0;
}

/* Returns a name from a record; the caller frees it. A NUL is refused: it would end the name for the kernel, but not for
 * other readers. */
static int take_text(char **target, const char *key, const char *value, size_t size, struct unpack_error *error)
{
    if (memchr(value, '\0', size))
        return unpack_fail(error, 0, "an extended header's %s holds a NUL byte", key);
    char *copy = strndup(value, size);
    if (!copy)
        return unpack_fail(error, ENOMEM, "out of memory");
    free(*target);
    *target = copy;
    return 0;
}

static int add_xattr(struct tar_extended *extended, const char *key, size_t key_size, const char *value, size_t size,
                     struct unpack_error *error)
{
    if (memchr(key, '\0', key_size))
        return unpack_fail(error, 0, "an extended header's key holds a NUL byte");
    struct tar_xattr *grown = reallocarray(extended->xattrs, extended->xattr_count + 1, sizeof *grown);
    if (!grown)
        return unpack_fail(error, ENOMEM, "out of memory");
    extended->xattrs = grown;
    char *name = strndup(key, key_size);
    uint8_t *copy = malloc(size ? size : 1);
    if (!name || !copy) {
        free(name);
        free(copy);
        return unpack_fail(error, ENOMEM, "out of memory");
    }
    memcpy(copy, value, size);
    grown[extended->xattr_count++] = (struct tar_xattr){ .name = name, .value = copy, .size = size };
    return 0;
}

static int take_number(bool *has, int64_t *target, const char *key, const char *value, size_t size, bool negative,
                       struct unpack_error *error)
{
    int64_t number;
    if (tar_parse_decimal(value, size, &number) < 0 || (!negative && number < 0))
        return unpack_fail(error, 0, "an extended header's %s isn't a number", key);
    *target = number;
    *has = true;
    return 0;
}

static int take_sparse(struct tar_extended *extended, const char *key, const char *value, size_t size,
                       struct unpack_error *error)
{
    bool ignored;
    int64_t number = 0;
    if (!strcmp(key, "map")) {
        extended->has_sparse = true;
        return tar_parse_sparse_map(extended, value, size, error);
    }
    if (!strcmp(key, "name"))
        return take_text(&extended->sparse_name, key, value, size, error);
    if (take_number(&ignored, &number, key, value, size, false, error) < 0)
        return -1;
    if (!strcmp(key, "major")) {
        extended->sparse_major = number > 9 ? 9 : (int)number;
    } else if (!strcmp(key, "minor")) {
        extended->sparse_minor = number > 9 ? 9 : (int)number;
    } else if (!strcmp(key, "realsize") || !strcmp(key, "size")) {
        extended->real_size = number;
        extended->has_real_size = true;
    } else if (!strcmp(key, "offset")) {
        extended->has_sparse = true;
        extended->pending_offset = number;
    } else if (!strcmp(key, "numbytes")) {
        if (extended->pending_offset < 0)
            return unpack_fail(error, 0, "a sparse file's map has a length without an offset");
        int64_t offset = extended->pending_offset;
        extended->pending_offset = -1;
        return tar_add_extent(&extended->extents, &extended->extent_count, offset, number, error);
    }
    return 0; /* numblocks is redundant */
}

static int take_record(struct tar_extended *extended, const char *key, size_t key_size, const char *value, size_t size,
                       struct unpack_error *error)
{
    char name[64];
    size_t prefix = sizeof XATTR_PREFIX - 1;
    if (size == 0) /* POSIX: an empty value removes an earlier one */
        return 0;
    if (key_size > prefix && !memcmp(key, XATTR_PREFIX, prefix))
        return add_xattr(extended, key + prefix, key_size - prefix, value, size, error);
    if (key_size >= sizeof name)
        return 0;
    memcpy(name, key, key_size);
    name[key_size] = '\0';
    if (!strcmp(name, "path"))
        return take_text(&extended->path, name, value, size, error);
    if (!strcmp(name, "linkpath"))
        return take_text(&extended->link, name, value, size, error);
    if (!strcmp(name, "size"))
        return take_number(&extended->has_size, &extended->size, name, value, size, false, error);
    if (!strcmp(name, "uid"))
        return take_number(&extended->has_uid, &extended->uid, name, value, size, false, error);
    if (!strcmp(name, "gid"))
        return take_number(&extended->has_gid, &extended->gid, name, value, size, false, error);
    if (!strcmp(name, "mtime")) {
        if (parse_time(value, size, &extended->mtime) < 0)
            return unpack_fail(error, 0, "an extended header's mtime isn't a time");
        extended->has_mtime = true;
        return 0;
    }
    if (!strncmp(name, "GNU.sparse.", 11))
        return take_sparse(extended, name + 11, value, size, error);
    return 0;
}

int tar_parse_pax(struct tar_extended *extended, const char *data, size_t size, struct unpack_error *error)
{
    while (size > 0) {
        const char *space = memchr(data, ' ', size);
        int64_t length;
        if (!space || tar_parse_decimal(data, (size_t)(space - data), &length) < 0)
            return unpack_fail(error, 0, "an extended header's record has no length");
        size_t head = (size_t)(space - data) + 1;
        if (length <= (int64_t)head || (uint64_t)length > size || data[length - 1] != '\n')
            return unpack_fail(error, 0, "an extended header's record has a wrong length");
        const char *key = space + 1;
        size_t rest = (size_t)length - head - 1;
        const char *equals = memchr(key, '=', rest);
        if (!equals || equals == key)
            return unpack_fail(error, 0, "an extended header's record has no key");
        size_t key_size = (size_t)(equals - key);
        if (take_record(extended, key, key_size, equals + 1, rest - key_size - 1, error) < 0)
            return -1;
        data += length;
        size -= (size_t)length;
    }
    return 0;
}

void tar_free_xattrs(struct tar_xattr **xattrs, size_t *count)
{
    for (size_t i = 0; i < *count; i++) {
        free((*xattrs)[i].name);
        free((*xattrs)[i].value);
    }
    free(*xattrs);
    *xattrs = NULL;
    *count = 0;
}

void tar_extended_reset(struct tar_extended *extended)
{
    free(extended->path);
    free(extended->link);
    free(extended->long_path);
    free(extended->long_link);
    free(extended->sparse_name);
    free(extended->extents);
    tar_free_xattrs(&extended->xattrs, &extended->xattr_count);
    *extended = (struct tar_extended){ .sparse_major = -1, .sparse_minor = -1, .pending_offset = -1 };
}
