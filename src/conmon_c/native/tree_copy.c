/* cp -a for layers: keeps hard links, holes, attributes and times; shifts owners by a mapping.
 *
 * Three uses: layers for a container with its own user namespace, the vfs driver (which merges: whiteouts of the source
 * remove entries of the target), and the first filling of a volume. Order of calls for a file: see unpack_place.c.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "tree_copy.h"
#include "unpack.h"

#define OPEN_DIRECTORY (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
#define BUCKETS 4096
#define MAX_DEPTH 300 /* each level needs three descriptors, and a process usually may have 1,024 */

struct seen {
    struct seen *next;
    dev_t device;
    ino_t inode;
    char path[];
};

struct copy {
    int target_root;
    const struct podpy_copy_options *options;
    struct seen *seen[BUCKETS]; /* files with several names, each with the first copied name */
    char path[PATH_MAX]; /* of the present file, relative to the root */
    size_t length;
    char failed[PATH_MAX];
};

static int copy_directory(struct copy *copy, int source, int target, int depth);

static int fail(struct copy *copy)
{
    if (!copy->failed[0])
        memcpy(copy->failed, copy->path, copy->length + 1);
    return -1;
}

static uid_t shift(const struct podpy_id_map *maps, size_t count, uid_t id)
{
    for (size_t i = 0; i < count; i++)
        if (id >= maps[i].inside && id - maps[i].inside < maps[i].size)
            return maps[i].outside + (id - maps[i].inside);
    return id; /* the container has no id for it, and sees "nobody" */
}

static uid_t shift_uid(const struct copy *copy, uid_t id)
{
    return shift(copy->options->uid_maps, copy->options->uid_count, id);
}

static gid_t shift_gid(const struct copy *copy, gid_t id)
{
    return shift(copy->options->gid_maps, copy->options->gid_count, id);
}

static bool is_whiteout(const struct stat *status)
{
    return S_ISCHR(status->st_mode) && status->st_rdev == 0;
}

static bool is_overlay_mark(const char *name)
{
    return !strncmp(name, "user.overlay.", 13) || !strncmp(name, "trusted.overlay.", 16);
}

static bool is_opaque(int directory)
{
    char value = 0;
    return (fgetxattr(directory, "user.overlay.opaque", &value, 1) == 1
            || fgetxattr(directory, "trusted.overlay.opaque", &value, 1) == 1)
           && value == 'y';
}

static int copy_attribute(int source, int target, const char *name)
{
    char value[65536];
    ssize_t size = fgetxattr(source, name, value, sizeof value);
    if (size < 0)
        return errno == ENODATA || errno == EOPNOTSUPP || errno == EPERM ? 0 : -1;
    if (fsetxattr(target, name, value, (size_t)size, 0) == 0)
        return 0;
    return errno == EOPNOTSUPP || errno == EPERM || errno == EINVAL ? 0 : -1; /* SELinux labels, for example, as in unpack */
}

static int copy_attributes(struct copy *copy, int source, int target)
{
    ssize_t size = flistxattr(source, NULL, 0);
    if (size <= 0)
        return size < 0 && errno != EOPNOTSUPP ? fail(copy) : 0;
    char *names = malloc((size_t)size);
    int result = names ? 0 : fail(copy);
    if (names)
        size = flistxattr(source, names, (size_t)size);
    for (char *name = names; name && result == 0 && name - names < size; name += strlen(name) + 1)
        if (!(copy->options->merge && is_overlay_mark(name)) && copy_attribute(source, target, name) < 0)
            result = fail(copy);
    free(names);
    return result;
}

static int copy_range(int source, int target, off_t start, off_t end)
{
    char buffer[65536];
    off_t in = start, out = start;
    while (in < end) {
        ssize_t count = copy_file_range(source, &in, target, &out, (size_t)(end - in), 0);
        if (count > 0)
            continue;
        if (count < 0 && errno != EXDEV && errno != ENOSYS && errno != EINVAL && errno != EOPNOTSUPP)
            return -1;
        size_t wanted = end - in < (off_t)sizeof buffer ? (size_t)(end - in) : sizeof buffer;
        count = pread(source, buffer, wanted, in);
        if (count <= 0)
            return (int)count; /* the file became shorter meanwhile */
        for (ssize_t done = 0; done < count;) {
            ssize_t written = pwrite(target, buffer + done, (size_t)(count - done), out);
            if (written < 0)
                return -1;
            done += written;
            out += written;
        }
        in += count;
    }
    return 0;
}

static int copy_content(int source, int target, off_t size)
{
    if (size == 0 || ioctl(target, FICLONE, source) == 0)
        return 0;
    for (off_t start = 0; start < size;) {
        off_t data = lseek(source, start, SEEK_DATA);
        if (data < 0 && errno == ENXIO)
            break; /* a hole up to the end */
        off_t hole = data < 0 ? size : lseek(source, data, SEEK_HOLE);
        if (data < 0)
            data = start;
        if (copy_range(source, target, data, hole) < 0)
            return -1;
        start = hole;
    }
    return ftruncate(target, size);
}

static int dress(struct copy *copy, int source, int target, const struct stat *status)
{
    struct timespec times[2] = { status->st_atim, status->st_mtim };
    if (fchmod(target, status->st_mode & 07777) < 0)
        return fail(copy);
    if (copy_attributes(copy, source, target) < 0)
        return -1;
    return futimens(target, times) < 0 ? fail(copy) : 0;
}

static int copy_file(struct copy *copy, int source, int target, const char *name, const struct stat *status)
{
    int result = -1;
    int from = lease_open(source, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    int to = from < 0 ? -1 : openat(target, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (to < 0 || fchown(to, shift_uid(copy, status->st_uid), shift_gid(copy, status->st_gid)) < 0
        || copy_content(from, to, status->st_size) < 0)
        fail(copy);
    else
        result = dress(copy, from, to, status);
    int code = errno;
    if (to >= 0 && close(to) < 0 && result == 0) {
        code = errno;
        result = fail(copy);
    }
    if (from >= 0)
        close(from);
    errno = code;
    return result;
}

static int copy_by_name(struct copy *copy, int source, int target, const char *name, const struct stat *status)
{
    char link[PATH_MAX];
    struct timespec times[2] = { status->st_atim, status->st_mtim };
    if (S_ISLNK(status->st_mode)) {
        ssize_t size = readlinkat(source, name, link, sizeof link - 1);
        if (size < 0)
            return fail(copy);
        link[size] = '\0';
        if (symlinkat(link, target, name) < 0)
            return fail(copy);
    } else if (mknodat(target, name, status->st_mode, status->st_rdev) < 0) {
        return fail(copy);
    }
    if (fchownat(target, name, shift_uid(copy, status->st_uid), shift_gid(copy, status->st_gid), AT_SYMLINK_NOFOLLOW) < 0)
        return fail(copy);
    if (!S_ISLNK(status->st_mode) && fchmodat(target, name, status->st_mode & 07777, AT_SYMLINK_NOFOLLOW) < 0)
        return fail(copy);
    return utimensat(target, name, times, AT_SYMLINK_NOFOLLOW) < 0 ? fail(copy) : 0;
}

/* Returns 1 if the file is now a hard link to an earlier copy, 0 if it must be copied. */
static int copy_as_link(struct copy *copy, int target, const char *name, const struct stat *status)
{
    if (status->st_nlink < 2 || is_whiteout(status))
        return 0;
    struct seen **bucket = &copy->seen[status->st_ino % BUCKETS];
    for (struct seen *seen = *bucket; seen; seen = seen->next)
        if (seen->inode == status->st_ino && seen->device == status->st_dev)
            return linkat(copy->target_root, seen->path, target, name, 0) < 0 ? fail(copy) : 1;
    struct seen *seen = malloc(sizeof *seen + copy->length + 1);
    if (!seen)
        return fail(copy);
    *seen = (struct seen){ .next = *bucket, .device = status->st_dev, .inode = status->st_ino };
    memcpy(seen->path, copy->path, copy->length + 1);
    *bucket = seen;
    return 0;
}

static int enter_directory(struct copy *copy, int source, int target, const char *name, const struct stat *status, int depth)
{
    int result = -1;
    int from = openat(source, name, OPEN_DIRECTORY);
    if (from < 0)
        return fail(copy);
    if (copy->options->merge && is_opaque(from) && podpy_tree_remove(target, name) < 0)
        fail(copy);
    else if (mkdirat(target, name, 0700) < 0 && errno != EEXIST)
        fail(copy);
    else
        result = 0;
    int to = result < 0 ? -1 : openat(target, name, OPEN_DIRECTORY);
    if (result == 0 && to < 0)
        result = fail(copy);
    if (result == 0 && fchown(to, shift_uid(copy, status->st_uid), shift_gid(copy, status->st_gid)) < 0)
        result = fail(copy);
    if (result == 0)
        result = copy_directory(copy, from, to, depth + 1);
    if (result == 0)
        result = dress(copy, from, to, status);
    int code = errno;
    close(from);
    if (to >= 0)
        close(to);
    errno = code;
    return result;
}

/* Merging: removes the target's entry of this name, unless both are directories. */
static int make_room(struct copy *copy, int target, const char *name, const struct stat *status)
{
    struct stat there;
    if (fstatat(target, name, &there, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : fail(copy);
    if (S_ISDIR(there.st_mode) && S_ISDIR(status->st_mode))
        return 0;
    return podpy_tree_remove(target, name) < 0 ? fail(copy) : 0;
}

static int copy_entry(struct copy *copy, int source, int target, const char *name, int depth)
{
    struct stat status;
    if (fstatat(source, name, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return fail(copy);
    if (copy->options->merge) {
        if (make_room(copy, target, name, &status) < 0)
            return -1;
        if (is_whiteout(&status))
            return 0;
    }
    if (S_ISDIR(status.st_mode))
        return enter_directory(copy, source, target, name, &status, depth);
    int linked = copy_as_link(copy, target, name, &status);
    if (linked)
        return linked < 0 ? -1 : 0;
    if (S_ISREG(status.st_mode))
        return copy_file(copy, source, target, name, &status);
    return copy_by_name(copy, source, target, name, &status);
}

static int copy_named(struct copy *copy, int source, int target, const char *name, int depth)
{
    size_t before = copy->length;
    int added = snprintf(copy->path + before, sizeof copy->path - before, "%s%s", before ? "/" : "", name);
    if (depth > MAX_DEPTH || (size_t)added >= sizeof copy->path - before) {
        copy->path[before] = '\0';
        errno = ENAMETOOLONG;
        return fail(copy);
    }
    copy->length = before + (size_t)added;
    int result = copy_entry(copy, source, target, name, depth);
    copy->length = before;
    copy->path[before] = '\0';
    return result;
}

static int copy_directory(struct copy *copy, int source, int target, int depth)
{
    int own = fcntl(source, F_DUPFD_CLOEXEC, 3);
    DIR *stream = own < 0 ? NULL : fdopendir(own);
    if (!stream) {
        if (own >= 0)
            close(own);
        return fail(copy);
    }
    int result = 0;
    rewinddir(stream);
    while (result == 0) {
        errno = 0;
        struct dirent *entry = readdir(stream);
        if (!entry) {
            result = errno ? fail(copy) : 0;
            break;
        }
        if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
            result = copy_named(copy, source, target, entry->d_name, depth);
    }
    int code = errno;
    closedir(stream);
    errno = code;
    return result;
}

static void free_seen(struct copy *copy)
{
    for (size_t i = 0; i < BUCKETS; i++)
        for (struct seen *seen = copy->seen[i], *next; seen; seen = next) {
            next = seen->next;
            free(seen);
        }
}

/* Copies the content of `source`, and its own owner, mode, attributes and times, to the directory `target`. Returns 0, or -1
 * with errno; then `failed` is the path that failed, relative to the roots. */
int podpy_tree_copy(int source, int target, const struct podpy_copy_options *options, char *failed, size_t size)
{
    struct stat status;
    struct copy *copy = calloc(1, sizeof *copy);
    if (!copy)
        return -1;
    copy->target_root = target;
    copy->options = options;
    int result = fstat(source, &status) < 0 ? fail(copy) : 0;
    if (result == 0 && fchown(target, shift_uid(copy, status.st_uid), shift_gid(copy, status.st_gid)) < 0)
        result = fail(copy);
    if (result == 0)
        result = copy_directory(copy, source, target, 0);
    if (result == 0)
        result = dress(copy, source, target, &status);
    int code = errno;
    snprintf(failed, size, "%s", copy->failed);
    free_seen(copy);
    free(copy);
    errno = code;
    return result;
}
