/* The walk: directory by directory, names sorted by their bytes, so that the same tree gives the same archive.
 *
 * Other processes may change the tree meanwhile. Each name is opened beneath its directory's descriptor without following a
 * link and without waiting for a fifo's other end, and only the opened descriptor is trusted (CVE-2023-0778 was a check of
 * a path before its use). A file that is gone by then is left out.
 * The tree may be deep: only the innermost directories stay open; the others are reopened by "..", and compared.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "pack_internal.h"

#define MOST_OPEN 64
#define OPEN_FILE (O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)
#define OPEN_DIRECTORY (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
#define WHITEOUT ".wh."

struct level {
    int directory; /* -1: closed for a while */
    dev_t device;
    ino_t inode;
    struct text names; /* each with its NUL */
    size_t *order; /* offsets in `names` */
    size_t count;
    size_t next;
    size_t path_size;
};

struct walk {
    struct packer *packer;
    struct level *levels;
    size_t depth;
    size_t room;
};

static int open_entry(const struct packer *packer, int parent, const char *name, int flags)
{
    if (!(packer->options->flags & PODPY_PACK_CROSS)) {
        struct open_how how = { .flags = (uint64_t)flags, .resolve = RESOLVE_NO_XDEV | RESOLVE_NO_SYMLINKS };
        int descriptor = (int)syscall(SYS_openat2, parent, name, &how, sizeof how);
        if (descriptor >= 0 || errno != ENOSYS)
            return descriptor;
    }
    return openat(parent, name, flags);
}

static int by_bytes(const void *one, const void *other, void *names)
{
    return strcmp((const char *)names + *(const size_t *)one, (const char *)names + *(const size_t *)other);
}

static int list_names(struct level *level, DIR *stream)
{
    struct unpack_error ignored = { 0 };
    for (;;) {
        errno = 0;
        struct dirent *entry = readdir(stream);
        if (!entry)
            return errno ? -1 : 0;
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
            continue;
        if (text_append(&level->names, entry->d_name, strlen(entry->d_name) + 1, &ignored) < 0) {
            errno = ENOMEM;
            return -1;
        }
        level->count++;
    }
}

static int sort_names(struct level *level)
{
    size_t offset = 0;
    level->order = reallocarray(NULL, level->count ? level->count : 1, sizeof *level->order);
    if (!level->order) {
        errno = ENOMEM;
        return -1;
    }
    for (size_t i = 0; i < level->count; i++) {
        level->order[i] = offset;
        offset += strlen(level->names.data + offset) + 1;
    }
    if (level->count)
        qsort_r(level->order, level->count, sizeof *level->order, by_bytes, level->names.data);
    return 0;
}

static int read_names(struct packer *packer, struct level *level, struct unpack_error *error)
{
    int own = fcntl(level->directory, F_DUPFD_CLOEXEC, 3);
    DIR *stream = own < 0 ? NULL : fdopendir(own);
    if (!stream) {
        if (own >= 0)
            close(own);
        return pack_fail(packer, "reading the directory", error);
    }
    int result = list_names(level, stream);
    if (result == 0)
        result = sort_names(level);
    int code = errno;
    closedir(stream);
    errno = code;
    return result < 0 ? pack_fail(packer, "reading the directory", error) : 0;
}

static void free_level(struct level *level)
{
    if (level->directory >= 0)
        close(level->directory);
    text_free(&level->names);
    free(level->order);
}

/* Takes over the descriptor of a directory whose own entry is written. */
static int enter(struct walk *walk, int directory, const struct stat *status, struct unpack_error *error)
{
    struct level level = { .directory = directory, .device = status->st_dev, .inode = status->st_ino,
                           .path_size = walk->packer->path.size };
    if (walk->depth == walk->room) {
        size_t room = walk->room ? walk->room * 2 : 32;
        struct level *grown = reallocarray(walk->levels, room, sizeof *grown);
        if (!grown) {
            close(directory);
            return unpack_fail(error, ENOMEM, "out of memory");
        }
        walk->levels = grown;
        walk->room = room;
    }
    int result = read_names(walk->packer, &level, error);
    if (result < 0) {
        free_level(&level);
        return -1;
    }
    walk->levels[walk->depth++] = level;
    if (walk->depth > MOST_OPEN) {
        struct level *outer = &walk->levels[walk->depth - 1 - MOST_OPEN];
        close(outer->directory);
        outer->directory = -1;
    }
    return 0;
}

static int leave(struct walk *walk, struct unpack_error *error)
{
    struct level *level = &walk->levels[--walk->depth];
    struct level *outer = walk->depth ? level - 1 : NULL;
    int result = 0;
    if (outer && outer->directory < 0) {
        struct stat status;
        outer->directory = openat(level->directory, "..", OPEN_DIRECTORY);
        if (outer->directory < 0 || fstat(outer->directory, &status) < 0)
            result = pack_fail(walk->packer, "going back to its parent", error);
        else if (status.st_dev != outer->device || status.st_ino != outer->inode)
            result = unpack_fail(error, EBUSY, "%.300s: it was moved while it was read", walk->packer->path.data);
    }
    free_level(level);
    if (outer)
        text_cut(&walk->packer->path, outer->path_size);
    return result;
}

static bool is_excluded(const struct packer *packer)
{
    const char *path = packer->path.data + packer->prefix;
    for (size_t i = 0; i < packer->options->excluded_count; i++)
        if (!strcmp(path, packer->options->excluded[i]))
            return true;
    return false;
}

/* If mounts aren't crossed, a mount point is an empty directory. */
static int write_mounted(struct packer *packer, const struct stat *status, struct unpack_error *error)
{
    if (!S_ISDIR(status->st_mode)) {
        packer->result->mounted++;
        return 0;
    }
    if (text_append(&packer->path, "/", 1, error) < 0)
        return -1;
    struct head head = { .type = '5', .name = packer->path.data, .status = status, .real_size = -1 };
    return pack_header(packer, &head, error);
}

static int walk_directory(struct walk *walk, int directory, const struct stat *status, struct unpack_error *error)
{
    int result = text_append(&walk->packer->path, "/", 1, error);
    if (result == 0)
        result = pack_directory(walk->packer, directory, status, error);
    if (result < 0) {
        close(directory);
        return -1;
    }
    return enter(walk, directory, status, error);
}

/* Opens what was a directory or a regular file for fstatat(2); it may be something else now. */
static int walk_opened(struct walk *walk, int parent, const char *name, const struct stat *seen, struct unpack_error *error)
{
    struct packer *packer = walk->packer;
    struct stat status;
    unsigned pauses = 0;
    int file;
    do
        file = open_entry(packer, parent, name, S_ISDIR(seen->st_mode) ? OPEN_DIRECTORY : OPEN_FILE);
    while (file < 0 && lease_wait(&pauses));
    if (file < 0) {
        if (errno == EXDEV)
            return write_mounted(packer, seen, error);
        if (errno == ENOENT || errno == ENOTDIR || errno == ELOOP || errno == ENXIO) /* it is gone, or something else now */
            return 0;
        return pack_fail(packer, "opening it", error);
    }
    if (fstat(file, &status) < 0) {
        close(file);
        return pack_fail(packer, "looking at it", error);
    }
    if (S_ISDIR(status.st_mode))
        return walk_directory(walk, file, &status, error);
    int result = S_ISREG(status.st_mode) ? pack_file(packer, file, &status, error) : 0;
    close(file);
    return result;
}

static int refuse_name(const struct packer *packer, const char *name, const struct stat *status, struct unpack_error *error)
{
    unsigned flags = packer->options->flags;
    if (!(flags & PODPY_PACK_DIFF) || (flags & PODPY_PACK_WHITEOUT_NAMES) || strncmp(name, WHITEOUT, strlen(WHITEOUT))
        || (S_ISCHR(status->st_mode) && status->st_rdev == 0))
        return 0;
    return unpack_fail(error, EINVAL, "%.300s: in a layer, names that begin with .wh. stand for what was removed",
                       packer->path.data);
}

/* fuse-overlayfs says with a file that a directory is opaque, and with an attribute, which has been written by now. */
static bool is_second_opaque(const struct packer *packer, int parent, const char *name)
{
    unsigned flags = packer->options->flags;
    return (flags & PODPY_PACK_DIFF) && (flags & PODPY_PACK_WHITEOUT_NAMES) && !strcmp(name, OPAQUE)
           && pack_is_opaque(parent);
}

static int walk_entry(struct walk *walk, const char *name, struct unpack_error *error)
{
    struct packer *packer = walk->packer;
    int parent = walk->levels[walk->depth - 1].directory;
    size_t before = packer->path.size;
    struct stat status;
    if (text_append(&packer->path, name, strlen(name), error) < 0)
        return -1;
    if (is_excluded(packer) || is_second_opaque(packer, parent, name)) {
        text_cut(&packer->path, before);
        return 0;
    }
    int result = 0;
    size_t depth = walk->depth;
    if (fstatat(parent, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        result = errno == ENOENT ? 0 : pack_fail(packer, "looking at it", error);
    else if (refuse_name(packer, name, &status, error) < 0)
        result = -1;
    else if (S_ISDIR(status.st_mode) || S_ISREG(status.st_mode))
        result = walk_opened(walk, parent, name, &status, error);
    else
        result = pack_other(packer, parent, name, &status, error);
    if (result == 0 && walk->depth == depth)
        text_cut(&packer->path, before);
    return result;
}

static int walk_all(struct walk *walk, struct unpack_error *error)
{
    while (walk->depth) {
        struct level *level = &walk->levels[walk->depth - 1];
        const char *name = level->next < level->count ? level->names.data + level->order[level->next++] : NULL;
        if (name ? walk_entry(walk, name, error) < 0 : leave(walk, error) < 0)
            return -1;
    }
    return 0;
}

int pack_tree(struct packer *packer, int top, struct unpack_error *error)
{
    struct walk walk = { .packer = packer };
    struct stat status;
    int own = openat(top, ".", OPEN_DIRECTORY); /* the caller's may have been opened by O_PATH */
    if (own < 0 || fstat(own, &status) < 0) {
        int result = pack_fail(packer, "opening it", error);
        if (own >= 0)
            close(own);
        return result;
    }
    int result = text_append(&packer->path, packer->options->name, strlen(packer->options->name), error);
    if (result == 0 && packer->path.size)
        result = text_append(&packer->path, "/", 1, error);
    packer->prefix = packer->path.size;
    if (result == 0 && (packer->path.size || (packer->options->flags & PODPY_PACK_TOP)))
        result = pack_directory(packer, own, &status, error);
    if (result < 0)
        close(own);
    else
        result = enter(&walk, own, &status, error);
    if (result == 0)
        result = walk_all(&walk, error);
    while (walk.depth)
        free_level(&walk.levels[--walk.depth]);
    free(walk.levels);
    return result;
}

int pack_single(struct packer *packer, int source, const struct stat *status, struct unpack_error *error)
{
    if (text_append(&packer->path, packer->options->name, strlen(packer->options->name), error) < 0)
        return -1;
    return S_ISREG(status->st_mode) ? pack_file(packer, source, status, error)
                                    : pack_other(packer, source, "", status, error);
}
