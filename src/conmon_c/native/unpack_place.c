/* Turns entries into files, and whiteouts into overlay's form.
 *
 * Order for a file: create, fchown, write, fchmod, fsetxattr, futimens. fchown() strips setuid bits and security.capability,
 * and in a user namespace write() does, too: so modes and attributes come after both (measured; chown(2)).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "unpack_internal.h"

#define WHITEOUT ".wh."
#define AUFS_META ".wh..wh."
#define OPAQUE ".wh..wh..opq"
#define MAX_ID 0xfffffffeLL /* (uid_t)-1 tells chown(2) to leave an id alone */

struct directory_time {
    char *path;
    struct timespec mtime;
};

struct place {
    int root;
    unsigned flags;
    struct podpy_unpack_options options;
    struct podpy_unpack_result *result;
    struct path_cache *cache;
    int file; /* the file being written, or -1 */
    char *path; /* of that file */
    struct replacement replacement; /* if `file` will replace another one */
    const struct tar_entry *entry;
    size_t extent;
    int64_t extent_used;
    struct directory_time *times; /* set at the end, since later entries change them */
    size_t time_count;
    size_t time_room;
    bool forget; /* drop the cached parent after this entry */
    bool replaced; /* something was replaced: `times` may have paths that don't exist any more */
};

static int remember_time(struct place *place, const char *path, struct timespec mtime, struct unpack_error *error);

/* PLAIN: the directory is new, and gets the owner of everything. */
static int own_implied(struct place *place, int parent, const char *name, const char *path, struct unpack_error *error)
{
    const struct podpy_unpack_options *options = &place->options;
    if (options->uid < 0 || fchownat(parent, name, (uid_t)options->uid, (gid_t)options->gid, AT_SYMLINK_NOFOLLOW) == 0)
        return 0;
    return unpack_fail(error, errno, "%.300s: giving it to its owner: %s", path, strerror(errno));
}

/* A directory without an entry so far, on the path of another entry. If its own entry follows, that one's time counts, since
 * times are set in the order in which they were recorded. */
static int remember_implied(void *owner, int parent, const char *name, const char *path, struct unpack_error *error)
{
    struct place *place = owner;
    if ((place->flags & (PODPY_UNPACK_PLAIN | PODPY_UNPACK_MARK)) == PODPY_UNPACK_PLAIN)
        return own_implied(place, parent, name, path, error);
    place->result->implied++;
    return remember_time(place, path, (struct timespec){ .tv_nsec = PODPY_UNPACK_IMPLIED }, error);
}

struct place *place_new(int root, bool jailed, unsigned flags, const struct podpy_unpack_options *options,
                        struct podpy_unpack_result *result)
{
    const char *opaque = flags & PODPY_UNPACK_USERNS ? "user.overlay.opaque" : "trusted.overlay.opaque";
    struct place *place = calloc(1, sizeof *place);
    if (!place)
        return NULL;
    *place = (struct place){ .root = root, .flags = flags, .options = *options, .result = result, .file = -1,
                              .replacement = { .parent = -1 } };
    const char *attribute = flags & PODPY_UNPACK_OPAQUE_FILE ? NULL : opaque;
    place->cache = path_cache_new(root, jailed, attribute, remember_implied, place);
    if (!place->cache) {
        free(place);
        return NULL;
    }
    return place;
}

void place_free(struct place *place)
{
    if (!place)
        return;
    if (place->replacement.parent >= 0)
        replacement_end(&place->replacement, place->file, true);
    if (place->file >= 0)
        close(place->file);
    for (size_t i = 0; i < place->time_count; i++)
        free(place->times[i].path);
    free(place->times);
    free(place->path);
    path_cache_free(place->cache);
    free(place);
}

static int fail_at(const struct tar_entry *entry, const char *what, struct unpack_error *error)
{
    int code = errno;
    return unpack_fail(error, code, "%.300s: %s: %s", entry->path, what, strerror(code));
}

static int remember_time(struct place *place, const char *path, struct timespec mtime, struct unpack_error *error)
{
    if (place->time_count == place->time_room) {
        size_t room = place->time_room ? place->time_room * 2 : 256;
        struct directory_time *grown = reallocarray(place->times, room, sizeof *grown);
        if (!grown)
            return unpack_fail(error, ENOMEM, "out of memory");
        place->times = grown;
        place->time_room = room;
    }
    char *copy = strdup(path);
    if (!copy)
        return unpack_fail(error, ENOMEM, "out of memory");
    place->times[place->time_count++] = (struct directory_time){ .path = copy, .mtime = mtime };
    return 0;
}

/* The owner isn't mapped in this user namespace: from now on the archive is only read, to find its largest ids, so that the
 * error can name the needed range. */
static int after_chown(struct place *place, const struct tar_entry *entry, int result, struct unpack_error *error)
{
    if (result == 0 || ((place->flags & PODPY_UNPACK_SINGLE_ID) && (errno == EINVAL || errno == EPERM)))
        return 0;
    if (errno != EINVAL)
        return fail_at(entry, "giving it to its owner", error);
    place->result->id_missing = 1;
    return 0;
}

static bool skips_attribute(const struct place *place, const char *name)
{
    /* Overlay's own attributes would be instructions to the kernel (redirects, metadata-only copies), not an image's content. */
    if (!strncmp(name, "trusted.overlay.", 16) || !strncmp(name, "user.overlay.", 13)
        || !strncmp(name, "user.fuseoverlayfs.", 19))
        return true;
    return (place->flags & PODPY_UNPACK_USERNS) && !strncmp(name, "trusted.", 8);
}

static int set_attributes(struct place *place, int file, const struct tar_entry *entry, struct unpack_error *error)
{
    for (size_t i = 0; i < entry->xattr_count; i++) {
        const struct tar_xattr *xattr = &entry->xattrs[i];
        if (!skips_attribute(place, xattr->name)
            && fsetxattr(file, xattr->name, xattr->value, xattr->size, 0) == 0)
            continue;
        /* A host without SELinux, or a file system without attributes, is no reason to refuse an image: Podman goes on, too. */
        if (!skips_attribute(place, xattr->name) && errno != EOPNOTSUPP && errno != EPERM && errno != EINVAL)
            return fail_at(entry, xattr->name, error);
        place->result->skipped_xattrs++;
    }
    return 0;
}

/* Removes an existing entry, even a whole directory. */
static int remove_existing(struct place *place, const struct place_name *name, const struct tar_entry *entry,
                           struct unpack_error *error)
{
    if (plain_refuse_other_kind(place->flags, name, entry, error) < 0)
        return -1;
    bool whiteout = path_is_whiteout(name->parent, name->base); /* recipes don't contain whiteouts, and no path leads through one */
    if (unlinkat(name->parent, name->base, 0) < 0) {
        if (errno != EISDIR && errno != EPERM)
            return fail_at(entry, "replacing what is there", error);
        if (podpy_tree_remove(name->parent, name->base) < 0)
            return fail_at(entry, "replacing the directory that is there", error);
    }
    place->replaced = true;
    place->result->replaced |= !whiteout;
    place->forget = true; /* the cached parent may have been below it, or reached through it */
    return 0;
}

static int own_by_name(struct place *place, const struct place_name *name, const struct tar_entry *entry, bool always,
                       struct unpack_error *error)
{
    if (!always && entry->uid == 0 && entry->gid == 0 && !name->parent_setgid)
        return 0;
    int result = fchownat(name->parent, name->base, (uid_t)entry->uid, (gid_t)entry->gid, AT_SYMLINK_NOFOLLOW);
    return after_chown(place, entry, result, error);
}

static int place_file(struct place *place, const struct place_name *name, const struct tar_entry *entry,
                      struct unpack_error *error)
{
    int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    int file = openat(name->parent, name->base, flags, entry->mode & 0777);
    if (file < 0 && errno == EEXIST && plain_is_file(place->flags, name)) {
        file = replacement_begin(&place->replacement, name->parent, name->base, entry->mode & 0777);
    } else if (file < 0 && errno == EEXIST) {
        if (remove_existing(place, name, entry, error) < 0)
            return -1;
        file = openat(name->parent, name->base, flags, entry->mode & 0777);
    }
    if (file < 0)
        return fail_at(entry, "creating it", error);
    place->file = file;
    place->entry = entry;
    place->extent = 0;
    place->extent_used = 0;
    if (entry->uid == 0 && entry->gid == 0 && !name->parent_setgid)
        return 0;
    return after_chown(place, entry, fchown(file, (uid_t)entry->uid, (gid_t)entry->gid), error);
}

static int attributes_of_directory(struct place *place, const struct place_name *name, const struct tar_entry *entry,
                                   struct unpack_error *error)
{
    if (!entry->xattr_count)
        return 0;
    int directory = openat(name->parent, name->base, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (directory < 0)
        return fail_at(entry, "opening it", error);
    int result = set_attributes(place, directory, entry, error);
    close(directory);
    return result;
}

static int place_directory(struct place *place, const struct place_name *name, const char *clean,
                           const struct tar_entry *entry, struct unpack_error *error)
{
    struct stat status;
    bool existed = false, whiteout = false;
    if (mkdirat(name->parent, name->base, entry->mode & 0777) < 0) {
        if (errno != EEXIST || fstatat(name->parent, name->base, &status, AT_SYMLINK_NOFOLLOW) < 0)
            return fail_at(entry, "making it", error);
        if (plain_leads_to_directory(place->flags, &status, place->cache, clean))
            return 0;
        existed = S_ISDIR(status.st_mode);
        whiteout = S_ISCHR(status.st_mode) && status.st_rdev == 0;
        if (!existed
            && (remove_existing(place, name, entry, error) < 0
                || (mkdirat(name->parent, name->base, entry->mode & 0777) < 0 && fail_at(entry, "making it", error))))
            return -1;
    }
    if (whiteout && path_make_opaque(place->cache, name->parent, name->base, error) < 0)
        return -1;
    if (own_by_name(place, name, entry, existed, error) < 0)
        return -1;
    if ((existed || name->parent_setgid || (entry->mode & 07000)) && plain_set_mode(name, S_IFDIR, entry->mode) < 0)
        return fail_at(entry, "setting its mode", error);
    place->forget |= existed; /* its setgid bit may have changed */
    if (attributes_of_directory(place, name, entry, error) < 0)
        return -1;
    return remember_time(place, clean, entry->mtime, error);
}

/* The root itself: "./". */
static int place_root(struct place *place, const struct tar_entry *entry, struct unpack_error *error)
{
    struct place_name name = { .parent = place->root, .base = "." };
    if (entry->type != '5')
        return unpack_fail(error, 0, "%s: the root can only be a directory", entry->path);
    if (own_by_name(place, &name, entry, true, error) < 0)
        return -1;
    if (fchmodat(place->root, ".", entry->mode, 0) < 0)
        return fail_at(entry, "setting its mode", error);
    place->forget = true; /* its setgid bit may have changed */
    place->result->root_seen = 1;
    if (attributes_of_directory(place, &name, entry, error) < 0)
        return -1;
    return remember_time(place, ".", entry->mtime, error);
}

static int set_time(const struct place_name *name, const struct tar_entry *entry, struct unpack_error *error)
{
    struct timespec times[2] = { entry->mtime, entry->mtime };
    if (utimensat(name->parent, name->base, times, AT_SYMLINK_NOFOLLOW) < 0)
        return fail_at(entry, "setting its time", error);
    return 0;
}

static int place_symlink(struct place *place, const struct place_name *name, const struct tar_entry *entry,
                         struct unpack_error *error)
{
    int result = symlinkat(entry->link, name->parent, name->base);
    if (result < 0 && errno == EEXIST) {
        if (remove_existing(place, name, entry, error) < 0)
            return -1;
        result = symlinkat(entry->link, name->parent, name->base);
    }
    if (result < 0)
        return fail_at(entry, "making the symbolic link", error);
    if (own_by_name(place, name, entry, false, error) < 0)
        return -1;
    place->result->skipped_xattrs += (int64_t)entry->xattr_count; /* symbolic links can't have user.* attributes */
    return set_time(name, entry, error);
}

/* Applies the hard link's header to the file, as Podman does; only differing values, since chown strips capabilities. */
static int dress_linked(struct place *place, const struct place_name *name, const struct tar_entry *entry,
                        const struct stat *status, struct unpack_error *error)
{
    bool other = status->st_uid != (uid_t)entry->uid || status->st_gid != (gid_t)entry->gid;
    if (other && own_by_name(place, name, entry, true, error) < 0)
        return -1;
    if (S_ISLNK(status->st_mode))
        return 0;
    if ((other || (status->st_mode & 07777) != entry->mode) && plain_set_mode(name, status->st_mode & S_IFMT, entry->mode) < 0)
        return fail_at(entry, "setting its mode", error);
    if (entry->xattr_count && S_ISREG(status->st_mode)) {
        int file = lease_open(name->parent, name->base, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        int result = file < 0 ? fail_at(entry, "opening it", error) : set_attributes(place, file, entry, error);
        if (file >= 0)
            close(file);
        if (result < 0)
            return -1;
    }
    return set_time(name, entry, error);
}

static int make_link(struct place *place, int target, const char *target_base, const struct stat *wanted, char *clean,
                     const struct tar_entry *entry, struct unpack_error *error)
{
    struct place_name name;
    struct stat there;
    if (path_open_parent(place->cache, clean, true, &name, error) < 0)
        return -1;
    if (fstatat(name.parent, name.base, &there, AT_SYMLINK_NOFOLLOW) == 0) {
        if (there.st_ino == wanted->st_ino && there.st_dev == wanted->st_dev) /* already a link to it, or the file itself */
            return dress_linked(place, &name, entry, wanted, error);
        if (remove_existing(place, &name, entry, error) < 0)
            return -1;
        path_cache_forget(place->cache); /* if it was a directory, its descriptor is stale now */
        if (path_open_parent(place->cache, clean, true, &name, error) < 0)
            return -1;
    }
    if (linkat(target, target_base, name.parent, name.base, 0) < 0)
        return fail_at(entry, "making the hard link", error);
    return dress_linked(place, &name, entry, wanted, error);
}

static int place_hardlink(struct place *place, char *clean, const struct tar_entry *entry, struct unpack_error *error)
{
    char *target = NULL;
    struct place_name name;
    struct stat status;
    if (path_clean(entry->link, &target, error) < 0 || plain_name(&place->options, &target, error) < 0) {
        free(target);
        return -1;
    }
    int result = path_open_parent(place->cache, target, false, &name, error);
    int descriptor = result < 0 ? -1 : fcntl(name.parent, F_DUPFD_CLOEXEC, 3); /* the cache moves on to the link's parent */
    if (result == 0 && (!*name.base || fstatat(descriptor, name.base, &status, AT_SYMLINK_NOFOLLOW) < 0))
        result = unpack_fail(error, ENOENT, "%.200s: a hard link to %.200s, which this layer doesn't have", entry->path,
                             entry->link);
    if (result == 0 && S_ISDIR(status.st_mode))
        result = unpack_fail(error, EPERM, "%.200s: a hard link to the directory %.200s", entry->path, entry->link);
    if (result == 0)
        result = make_link(place, descriptor, name.base, &status, clean, entry, error);
    if (descriptor >= 0)
        close(descriptor);
    free(target);
    return result;
}

static int place_special(struct place *place, const struct place_name *name, const struct tar_entry *entry,
                         struct unpack_error *error)
{
    mode_t type = entry->type == '6' ? S_IFIFO : entry->type == '3' ? S_IFCHR : S_IFBLK;
    dev_t device = type == S_IFIFO ? 0 : makedev(entry->major, entry->minor);
    /* A character device 0:0 is overlay's whiteout. Archives use .wh. names for that, so this one is forged. */
    if (type != S_IFIFO && ((place->flags & (PODPY_UNPACK_USERNS | PODPY_UNPACK_PLAIN)) || device == 0)) {
        place->result->skipped_devices++;
        return 0;
    }
    int result = mknodat(name->parent, name->base, type | (entry->mode & 0777), device);
    if (result < 0 && errno == EEXIST) {
        if (remove_existing(place, name, entry, error) < 0)
            return -1;
        result = mknodat(name->parent, name->base, type | (entry->mode & 0777), device);
    }
    if (result < 0)
        return fail_at(entry, "making it", error);
    if (own_by_name(place, name, entry, false, error) < 0)
        return -1;
    if ((entry->mode & 07000) && plain_set_mode(name, type, entry->mode) < 0)
        return fail_at(entry, "setting its mode", error);
    place->result->skipped_xattrs += (int64_t)entry->xattr_count;
    return set_time(name, entry, error);
}

/* .wh.NAME hides NAME of lower layers. This layer's own entry of that name, before or after, stays; if it is a directory, it
 * becomes opaque. */
static int place_whiteout(struct place *place, char *clean, const struct tar_entry *entry, struct unpack_error *error)
{
    struct place_name name;
    struct stat status;
    struct unpack_error ignored = { 0 };
    if (path_open_parent(place->cache, clean, false, &name, &ignored) < 0) {
        if (ignored.code == ENOTDIR) /* a parent is hidden, or a file: there is nothing to hide */
            return 0;
        if (path_open_parent(place->cache, clean, true, &name, error) < 0)
            return -1;
    }
    if (!strcmp(name.base, OPAQUE))
        return path_make_opaque(place->cache, name.parent, ".", error);
    const char *hidden = name.base + strlen(WHITEOUT);
    if (!strncmp(name.base, AUFS_META, strlen(AUFS_META)))
        return 0; /* aufs' own files: .wh..wh.plnk, .wh..wh.aufs */
    if (!*hidden || !strcmp(hidden, ".") || !strcmp(hidden, ".."))
        return unpack_fail(error, 0, "%s: a whiteout of nothing", entry->path);
    if (fstatat(name.parent, hidden, &status, AT_SYMLINK_NOFOLLOW) == 0)
        return S_ISDIR(status.st_mode) ? path_make_opaque(place->cache, name.parent, hidden, error) : 0;
    if (mknodat(name.parent, hidden, S_IFCHR, 0) < 0)
        return fail_at(entry, "making the whiteout", error);
    return 0;
}

static int count_entry(struct place *place, const struct tar_entry *entry, struct unpack_error *error)
{
    struct podpy_unpack_result *result = place->result;
    if (++result->entries > place->options.entries)
        return unpack_fail(error, EFBIG, "the layer has more than %lld entries", (long long)place->options.entries);
    if (entry->size > place->options.bytes - result->bytes || entry->real_size > place->options.bytes)
        return unpack_fail(error, EFBIG, "the layer has more than %lld bytes", (long long)place->options.bytes);
    result->bytes += entry->size;
    if (entry->uid < 0 || entry->uid > MAX_ID || entry->gid < 0 || entry->gid > MAX_ID)
        return unpack_fail(error, 0, "%.300s: its owner %lld:%lld can't exist", entry->path, (long long)entry->uid,
                           (long long)entry->gid);
    if (entry->uid > result->max_uid)
        result->max_uid = entry->uid;
    if (entry->gid > result->max_gid)
        result->max_gid = entry->gid;
    return 0;
}

static int place_named(struct place *place, char *clean, const struct tar_entry *entry, struct unpack_error *error)
{
    struct place_name name;
    const char *slash = strrchr(clean, '/');
    if (!(place->flags & PODPY_UNPACK_PLAIN) && !strncmp(slash ? slash + 1 : clean, WHITEOUT, strlen(WHITEOUT)))
        return place_whiteout(place, clean, entry, error);
    if (entry->type == '1')
        return place_hardlink(place, clean, entry, error);
    if (path_open_parent(place->cache, clean, true, &name, error) < 0)
        return -1;
    switch (entry->type) {
    case '0':
        return place_file(place, &name, entry, error);
    case '2':
        return place_symlink(place, &name, entry, error);
    case '5':
        return place_directory(place, &name, clean, entry, error);
    default:
        return place_special(place, &name, entry, error);
    }
}

int place_begin(struct place *place, struct tar_entry *entry, struct unpack_error *error)
{
    char *clean = NULL;
    const struct podpy_unpack_options *options = &place->options;
    if (count_entry(place, entry, error) < 0 || path_clean(entry->path, &clean, error) < 0)
        return -1;
    if (place->flags & PODPY_UNPACK_PLAIN) {
        entry->uid = plain_owner(options->uid, options->uid_maps, options->uid_count, entry->uid);
        entry->gid = plain_owner(options->gid, options->gid_maps, options->gid_count, entry->gid);
        if (plain_name(options, &clean, error) < 0) {
            free(clean);
            return -1;
        }
    }
    int result = 0;
    place->forget = false;
    if (!place->result->id_missing)
        result = *clean ? place_named(place, clean, entry, error) : place_root(place, entry, error);
    if (place->forget)
        path_cache_forget(place->cache);
    free(place->path);
    place->path = clean;
    return result;
}

const char *place_path(const struct place *place)
{
    return place->file >= 0 ? place->path : NULL;
}

static int write_all(struct place *place, const uint8_t *data, size_t size, int64_t offset, struct unpack_error *error)
{
    while (size > 0) {
        ssize_t count = offset < 0 ? write(place->file, data, size) : pwrite(place->file, data, size, offset);
        if (count < 0) {
            if (errno == EINTR)
                continue;
            return fail_at(place->entry, "writing it", error);
        }
        data += count;
        size -= (size_t)count;
        offset = offset < 0 ? offset : offset + count;
    }
    return 0;
}

int place_data(struct place *place, const uint8_t *data, size_t size, struct unpack_error *error)
{
    if (place->file < 0)
        return 0;
    const struct tar_entry *entry = place->entry;
    if (!entry->sparse)
        return write_all(place, data, size, -1, error);
    while (size > 0 && place->extent < entry->extent_count) {
        const struct tar_extent *extent = &entry->extents[place->extent];
        int64_t room = extent->size - place->extent_used;
        size_t part = (uint64_t)room < size ? (size_t)room : size;
        if (write_all(place, data, part, extent->offset + place->extent_used, error) < 0)
            return -1;
        data += part;
        size -= part;
        place->extent_used += (int64_t)part;
        if (place->extent_used == extent->size) {
            place->extent++;
            place->extent_used = 0;
        }
    }
    return 0;
}

int64_t place_send(struct place *place, int source, size_t size, struct unpack_error *error)
{
    for (;;) {
        ssize_t count = sendfile(place->file, source, NULL, size);
        if (count >= 0)
            return count;
        if (errno == EINVAL || errno == ENOSYS) /* not from this file system */
            return 0;
        if (errno != EINTR)
            return fail_at(place->entry, "writing it", error);
    }
}

int place_end_entry(struct place *place, struct unpack_error *error)
{
    if (place->file < 0)
        return 0;
    const struct tar_entry *entry = place->entry;
    struct timespec times[2] = { entry->mtime, entry->mtime };
    int file = place->file;
    int result = 0;
    if (entry->sparse && ftruncate(file, entry->real_size) < 0)
        result = fail_at(entry, "setting its size", error);
    else if ((entry->mode & 07000) && fchmod(file, entry->mode) < 0)
        result = fail_at(entry, "setting its mode", error);
    else if (set_attributes(place, file, entry, error) < 0)
        result = -1;
    else if (futimens(file, times) < 0)
        result = fail_at(entry, "setting its time", error);
    if (place->replacement.parent >= 0 && replacement_end(&place->replacement, file, result < 0) < 0)
        result = fail_at(entry, "putting it in the other's place", error);
    place->file = -1;
    if (close(file) < 0 && result == 0) /* network file systems report a full disk here */
        result = fail_at(entry, "closing it", error);
    return result;
}

int place_finish(struct place *place, struct unpack_error *error)
{
    for (size_t i = 0; i < place->time_count && !place->result->id_missing; i++) {
        struct place_name name;
        struct stat status;
        struct directory_time *time = &place->times[i];
        struct timespec times[2] = { time->mtime, time->mtime };
        struct unpack_error ignored = { 0 };
        bool gone = path_open_parent(place->cache, time->path, false, &name, &ignored) < 0;
        if (!gone && place->replaced)
            gone = fstatat(name.parent, name.base, &status, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISDIR(status.st_mode);
        if (!gone && utimensat(name.parent, name.base, times, AT_SYMLINK_NOFOLLOW) < 0)
            return unpack_fail(error, errno, "%.300s: setting its time: %s", time->path, strerror(errno));
    }
    return 0;
}
