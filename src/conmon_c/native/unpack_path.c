/* Resolves an archive's name to (descriptor of the parent directory, last component), without ever leaving the root.
 *
 * openat2(RESOLVE_IN_ROOT) works like chroot: absolute links and ".." end at the root. A kernel without it (before 5.6) is
 * safe only in the jail (unpack_jail.c), where the process's root is the target.
 * The last parent stays open: archives are written directory by directory, so most entries need no look-up.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "unpack_internal.h"

#define OPEN_PARENT (O_PATH | O_DIRECTORY | O_CLOEXEC)

struct path_cache {
    int root;
    bool jailed;
    const char *opaque_xattr; /* NULL: a file .wh..wh..opq */
    char *path; /* of the parent that is open */
    int parent; /* -1: none open */
    bool setgid;
    path_implied *implied;
    void *owner;
};

struct path_cache *path_cache_new(int root, bool jailed, const char *opaque_xattr, path_implied *implied, void *owner)
{
    struct path_cache *cache = calloc(1, sizeof *cache);
    if (cache)
        *cache = (struct path_cache){ .root = root, .jailed = jailed, .opaque_xattr = opaque_xattr, .parent = -1,
                                      .implied = implied, .owner = owner };
    return cache;
}

void path_cache_forget(struct path_cache *cache)
{
    if (cache->parent >= 0)
        close(cache->parent);
    cache->parent = -1;
    free(cache->path);
    cache->path = NULL;
}

void path_cache_free(struct path_cache *cache)
{
    if (!cache)
        return;
    path_cache_forget(cache);
    free(cache);
}

int path_clean(const char *path, char **clean, struct unpack_error *error)
{
    char *out = malloc(strlen(path) + 1);
    size_t used = 0;
    if (!out)
        return unpack_fail(error, ENOMEM, "out of memory");
    for (const char *part = path; *part;) {
        size_t length = strcspn(part, "/");
        if (length == 2 && part[0] == '.' && part[1] == '.') {
            free(out);
            return unpack_fail(error, 0, "%s: its name reaches outside with \"..\"", path);
        }
        if (length && !(length == 1 && part[0] == '.')) {
            if (used)
                out[used++] = '/';
            memcpy(out + used, part, length);
            used += length;
        }
        part += length + (part[length] == '/');
    }
    out[used] = '\0';
    if (used >= PATH_MAX) {
        int result = unpack_fail(error, ENAMETOOLONG, "%.200s…: its name is too long", out);
        free(out);
        return result;
    }
    *clean = out;
    return 0;
}

int path_open_directory(struct path_cache *cache, const char *path)
{
    struct open_how how = { .flags = OPEN_PARENT, .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
    int descriptor = (int)syscall(SYS_openat2, cache->root, path, &how, sizeof how);
    if (descriptor < 0 && errno == ENOSYS && cache->jailed)
        descriptor = openat(cache->root, path, OPEN_PARENT);
    return descriptor;
}

bool path_is_whiteout(int parent, const char *base)
{
    struct stat status;
    return fstatat(parent, base, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISCHR(status.st_mode) && status.st_rdev == 0;
}

int path_make_opaque(struct path_cache *cache, int parent, const char *base, struct unpack_error *error)
{
    int directory = openat(parent, base, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (directory < 0)
        return unpack_fail(error, errno, "%s: opening it to make it opaque: %s", base, strerror(errno));
    int result = 0;
    if (!cache->opaque_xattr) {
        int file = openat(directory, ".wh..wh..opq", O_CREAT | O_WRONLY | O_NOFOLLOW | O_CLOEXEC, 0600);
        result = file < 0 ? -1 : close(file);
    } else {
        result = fsetxattr(directory, cache->opaque_xattr, "y", 1, 0);
    }
    if (result < 0)
        unpack_fail(error, errno, "%s: making it opaque (%s): %s", base, cache->opaque_xattr ?: "a file", strerror(errno));
    close(directory);
    return result;
}

/* Creates one missing component of `path`, as Podman does, or fails with the reason. */
static int make_component(struct path_cache *cache, int directory, const char *name, const char *path,
                          struct unpack_error *error)
{
    bool whiteout = path_is_whiteout(directory, name);
    if (whiteout && unlinkat(directory, name, 0) < 0)
        return unpack_fail(error, errno, "%s: %s", name, strerror(errno));
    if (mkdirat(directory, name, 0755) < 0)
        return unpack_fail(error, errno == EEXIST ? ENOTDIR : errno, "%s: an entry lies below it, but it's no directory: %s",
                           name, strerror(errno));
    /* If it replaces a whiteout it is new, and must still hide the lower layers' entries; else it is theirs. */
    return whiteout ? path_make_opaque(cache, directory, name, error) : cache->implied(cache->owner, directory, name, path, error);
}

static int open_or_make(struct path_cache *cache, char *path, struct unpack_error *error)
{
    int directory = fcntl(cache->root, F_DUPFD_CLOEXEC, 3);
    for (char *end = path; directory >= 0;) {
        char *start = end;
        end = strchrnul(start, '/');
        char kept = *end;
        *end = '\0';
        int next = path_open_directory(cache, path);
        if (next < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP)
            && make_component(cache, directory, start, path, error) == 0)
            next = path_open_directory(cache, path);
        else if (next < 0 && !error->text[0])
            unpack_fail(error, errno, "%s: %s", path, strerror(errno));
        *end = kept;
        close(directory);
        directory = next;
        if (!kept)
            break;
        end++;
    }
    if (directory < 0 && !error->text[0])
        unpack_fail(error, errno, "%s: %s", path, strerror(errno));
    return directory;
}

static int remember(struct path_cache *cache, const char *path, int descriptor, struct unpack_error *error)
{
    struct stat status;
    path_cache_forget(cache);
    cache->parent = descriptor;
    cache->path = strdup(path);
    if (!cache->path)
        return unpack_fail(error, ENOMEM, "out of memory");
    cache->setgid = fstat(descriptor, &status) < 0 || (status.st_mode & S_ISGID);
    return 0;
}

int path_open_parent(struct path_cache *cache, char *clean, bool create, struct place_name *name,
                     struct unpack_error *error)
{
    char *slash = strrchr(clean, '/');
    const char *parent = slash ? clean : "";
    int result = 0;
    if (slash)
        *slash = '\0';
    if (!cache->path || strcmp(cache->path, parent) != 0) {
        int descriptor = *parent ? path_open_directory(cache, parent) : fcntl(cache->root, F_DUPFD_CLOEXEC, 3);
        if (descriptor < 0 && create)
            descriptor = open_or_make(cache, clean, error);
        else if (descriptor < 0)
            unpack_fail(error, errno, "%s: %s", parent, strerror(errno));
        result = descriptor < 0 ? -1 : remember(cache, parent, descriptor, error);
    }
    if (slash)
        *slash = '/';
    *name = (struct place_name){
        .parent = cache->parent, .parent_setgid = cache->setgid, .base = slash ? slash + 1 : clean
    };
    return result;
}
