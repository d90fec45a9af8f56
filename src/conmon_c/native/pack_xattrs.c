/* The attributes in an archive: user.*, file capabilities, access lists, and for real root trusted.*.
 * Not security labels, which belong to the host, nor overlay's own attributes, which are instructions to the kernel.
 */
#define _GNU_SOURCE
#include <endian.h>
#include <errno.h>
#include <linux/capability.h>
#include <stdlib.h>
#include <string.h>
#include <sys/xattr.h>

#include "pack_internal.h"

#define MAX_LIST (64 << 10) /* XATTR_LIST_MAX, linux/limits.h */
#define MAX_VALUE (64 << 10)
#define CAPABILITY "security.capability"
#define CAPABILITY_V2 20 /* bytes: linux/capability.h, struct vfs_cap_data */
#define CAPABILITY_V3 24

static bool has_prefix(const char *name, const char *prefix)
{
    return !strncmp(name, prefix, strlen(prefix));
}

static bool is_kept(const struct packer *packer, const char *name)
{
    const struct podpy_pack_options *options = packer->options;
    if (strchr(name, '=')) /* it ends the name in an archive: that would be another attribute */
        return false;
    if (has_prefix(name, "user."))
        return !has_prefix(name, "user.overlay.") && !has_prefix(name, "user.fuseoverlayfs.");
    if (has_prefix(name, "system.posix_acl_")) /* the ids in it would need a mapping, too */
        return !options->uid_count && !options->gid_count;
    if (has_prefix(name, "trusted."))
        return !(options->flags & PODPY_PACK_USERNS) && !has_prefix(name, "trusted.overlay.");
    return !strcmp(name, CAPABILITY);
}

/* Capabilities for one user namespace's root (capabilities(7), version 3) become plain ones in the archive. */
static void translate_capability(const struct packer *packer, struct tar_xattr *xattr)
{
    const struct podpy_pack_options *options = packer->options;
    uint32_t magic, root;
    if (strcmp(xattr->name, CAPABILITY) || xattr->size != CAPABILITY_V3)
        return;
    memcpy(&magic, xattr->value, sizeof magic);
    memcpy(&root, xattr->value + CAPABILITY_V2, sizeof root);
    for (size_t i = 0; i < options->uid_count; i++)
        if (options->uid_maps[i].inside == 0 && options->uid_maps[i].outside == le32toh(root)) {
            magic = htole32((le32toh(magic) & ~VFS_CAP_REVISION_MASK) | VFS_CAP_REVISION_2);
            memcpy(xattr->value, &magic, sizeof magic);
            xattr->size = CAPABILITY_V2;
        }
}

static int read_one(struct packer *packer, int file, const char *name, struct tar_xattr *xattr, struct unpack_error *error)
{
    uint8_t *value = malloc(MAX_VALUE);
    if (!value)
        return unpack_fail(error, ENOMEM, "out of memory");
    ssize_t size = fgetxattr(file, name, value, MAX_VALUE);
    if (size < 0) {
        free(value);
        if (errno == ENODATA || errno == EPERM || errno == EACCES || errno == EOPNOTSUPP)
            return 0;
        return pack_fail(packer, name, error);
    }
    uint8_t *fitted = realloc(value, (size_t)size ? (size_t)size : 1);
    *xattr = (struct tar_xattr){ .name = strdup(name), .value = fitted ? fitted : value, .size = (size_t)size };
    if (!xattr->name) {
        free(xattr->value);
        return unpack_fail(error, ENOMEM, "out of memory");
    }
    translate_capability(packer, xattr);
    return 1;
}

static int by_name(const void *one, const void *other)
{
    const struct tar_xattr *first = one, *second = other;
    return strcmp(first->name, second->name);
}

static int read_listed(struct packer *packer, int file, const char *names, size_t size, struct tar_xattr **xattrs,
                       size_t *count, struct unpack_error *error)
{
    for (const char *name = names; name < names + size; name += strlen(name) + 1) {
        if (!is_kept(packer, name))
            continue;
        struct tar_xattr *grown = reallocarray(*xattrs, *count + 1, sizeof *grown);
        if (!grown)
            return unpack_fail(error, ENOMEM, "out of memory");
        *xattrs = grown;
        int read = read_one(packer, file, name, &grown[*count], error);
        if (read < 0)
            return -1;
        *count += (size_t)read;
    }
    if (*count)
        qsort(*xattrs, *count, sizeof **xattrs, by_name); /* file systems list them in different orders */
    return 0;
}

int pack_read_xattrs(struct packer *packer, int file, struct tar_xattr **xattrs, size_t *count, struct unpack_error *error)
{
    ssize_t size = flistxattr(file, NULL, 0);
    *xattrs = NULL;
    *count = 0;
    if (size <= 0)
        return size < 0 && errno != EOPNOTSUPP && errno != ENOSYS ? pack_fail(packer, "its attributes", error) : 0;
    char *names = malloc(MAX_LIST);
    if (!names)
        return unpack_fail(error, ENOMEM, "out of memory");
    size = flistxattr(file, names, MAX_LIST);
    int result = size < 0 ? pack_fail(packer, "its attributes", error)
                          : read_listed(packer, file, names, (size_t)size, xattrs, count, error);
    free(names);
    return result;
}

bool pack_is_opaque(int directory)
{
    static const char *const names[] = { "user.overlay.opaque", "trusted.overlay.opaque", "user.fuseoverlayfs.opaque" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char value[4];
        if (fgetxattr(directory, names[i], value, sizeof value) == 1 && value[0] == 'y')
            return true;
    }
    return false;
}

bool pack_is_whiteout_file(int file)
{
    char value[4];
    return fgetxattr(file, "user.overlay.whiteout", value, sizeof value) >= 0
           || fgetxattr(file, "trusted.overlay.whiteout", value, sizeof value) >= 0;
}

bool pack_refers_to_lower(int file)
{
    static const char *const names[] = { "user.overlay.redirect", "trusted.overlay.redirect", "user.overlay.metacopy",
                                         "trusted.overlay.metacopy" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (fgetxattr(file, names[i], NULL, 0) >= 0)
            return true;
    return false;
}
