/* Unpacking into a directory that may not be empty: a volume, a container, the caller's own.
 *
 * A replaced file is written under a temporary name and renamed, so a reader gets the old one or the new one, and nothing is
 * lost when the disk is full. A mount point can't be replaced, so it is written into.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unpack_internal.h"

#define MOST_TRIES 1000
#define OPEN_NEW (O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC)

int replacement_begin(struct replacement *replacement, int parent, const char *base, mode_t mode)
{
    int file = -1;
    for (unsigned number = 0; file < 0 && number < MOST_TRIES; number++) {
        snprintf(replacement->aside, sizeof replacement->aside, ".podpy-new-%u", number);
        file = openat(parent, replacement->aside, OPEN_NEW, mode);
        if (file < 0 && errno != EEXIST)
            return -1;
    }
    if (file < 0)
        return -1;
    replacement->base = strdup(base);
    replacement->parent = fcntl(parent, F_DUPFD_CLOEXEC, 3);
    if (replacement->base && replacement->parent >= 0)
        return file;
    int code = errno;
    unlinkat(parent, replacement->aside, 0);
    close(file);
    free(replacement->base);
    *replacement = (struct replacement){ .parent = -1 };
    errno = code;
    return -1;
}

static int copy_all(int from, int to)
{
    char buffer[65536];
    off_t offset = 0;
    for (;;) {
        ssize_t count = pread(from, buffer, sizeof buffer, offset);
        if (count <= 0)
            return count < 0 ? -1 : ftruncate(to, offset);
        for (ssize_t done = 0; done < count;) {
            ssize_t written = pwrite(to, buffer + done, (size_t)(count - done), offset);
            if (written < 0)
                return -1;
            done += written;
            offset += written;
        }
    }
}

static int write_into(struct replacement *replacement, int file)
{
    struct stat status;
    int there = lease_open(replacement->parent, replacement->base, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (there < 0)
        return -1;
    int result = fstat(there, &status);
    if (result == 0 && !S_ISREG(status.st_mode)) {
        errno = EBUSY;
        result = -1;
    }
    if (result == 0)
        result = copy_all(file, there);
    int code = errno;
    if (close(there) < 0 && result == 0)
        return -1;
    errno = code;
    return result;
}

int replacement_end(struct replacement *replacement, int file, bool drop)
{
    int result = 0;
    bool renamed = false;
    if (!drop) {
        renamed = renameat2(replacement->parent, replacement->aside, replacement->parent, replacement->base, 0) == 0;
        result = renamed ? 0 : errno == EBUSY ? write_into(replacement, file) : -1;
    }
    int code = errno;
    if (!renamed)
        unlinkat(replacement->parent, replacement->aside, 0);
    close(replacement->parent);
    free(replacement->base);
    *replacement = (struct replacement){ .parent = -1 };
    errno = code;
    return result;
}

int64_t plain_owner(int64_t all, const struct podpy_id_map *maps, size_t count, int64_t id)
{
    if (all >= 0)
        return all;
    for (size_t i = 0; i < count; i++)
        if (id >= maps[i].inside && id - maps[i].inside < maps[i].size)
            return maps[i].outside + (id - maps[i].inside);
    return id;
}

int plain_name(const struct podpy_unpack_options *options, char **clean, struct unpack_error *error)
{
    char *joined = NULL;
    if (!options->prefix || !*options->prefix)
        return 0;
    if (asprintf(&joined, "%s%s%s", options->prefix, **clean ? "/" : "", *clean) < 0)
        return unpack_fail(error, ENOMEM, "out of memory");
    free(*clean);
    *clean = joined;
    return 0;
}

/* PLAIN: refuses to replace a directory by something else, or the reverse, without OVERWRITE. */
int plain_refuse_other_kind(unsigned flags, const struct place_name *name, const struct tar_entry *entry,
                            struct unpack_error *error)
{
    struct stat status;
    if (!(flags & PODPY_UNPACK_PLAIN) || (flags & PODPY_UNPACK_OVERWRITE)
        || fstatat(name->parent, name->base, &status, AT_SYMLINK_NOFOLLOW) < 0
        || S_ISDIR(status.st_mode) == (entry->type == '5'))
        return 0;
    return unpack_fail(error, EEXIST, "%.300s: %s: %s", entry->path,
                       S_ISDIR(status.st_mode) ? "a directory is there" : "it is no directory there", strerror(EEXIST));
}

bool plain_is_file(unsigned flags, const struct place_name *name)
{
    struct stat status;
    return (flags & PODPY_UNPACK_PLAIN) && fstatat(name->parent, name->base, &status, AT_SYMLINK_NOFOLLOW) == 0
           && S_ISREG(status.st_mode);
}

/* PLAIN: a symbolic link to a directory counts as a directory (/bin of most systems). */
bool plain_leads_to_directory(unsigned flags, const struct stat *status, struct path_cache *cache, const char *clean)
{
    if (!(flags & PODPY_UNPACK_PLAIN) || !S_ISLNK(status->st_mode))
        return false;
    int directory = path_open_directory(cache, clean);
    if (directory >= 0)
        close(directory);
    return directory >= 0;
}

/* A file that its owner may not read is opened without reading. A process that may read all is in the jail, and needs no
 * /proc. */
static int set_mode_unread(const struct place_name *name, mode_t mode)
{
    char path[32];
    int file = openat(name->parent, name->base, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    int result = file < 0 ? -1 : fchmodat(AT_FDCWD, path, mode, 0);
    int code = errno;
    if (file >= 0)
        close(file);
    errno = code;
    return result;
}

/* chmod(2) by a name would follow a symbolic link that another process has put there meanwhile. But opening a device has
 * effects, and a socket can't be opened. */
int plain_set_mode(const struct place_name *name, mode_t kind, mode_t mode)
{
    int flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
    if (kind != S_IFDIR && kind != S_IFREG && kind != S_IFIFO)
        return fchmodat(name->parent, name->base, mode, 0);
    int file = lease_open(name->parent, name->base, kind == S_IFDIR ? flags | O_DIRECTORY : flags);
    if (file < 0)
        return errno == EACCES ? set_mode_unread(name, mode) : -1;
    int result = fchmod(file, mode);
    int code = errno;
    close(file);
    errno = code;
    return result;
}
