/* One entry (file, directory, link …): its header and content. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "pack_internal.h"

#define WHITEOUT ".wh."

int pack_fail(const struct packer *packer, const char *what, struct unpack_error *error)
{
    int code = errno;
    return unpack_fail(error, code, "%.300s: %s: %s", packer->path.size ? packer->path.data : ".", what, strerror(code));
}

/* Returns 1 if the file was written as a hard link to an earlier entry, else 0. */
static int write_as_link(struct packer *packer, const struct stat *status, struct unpack_error *error)
{
    const char *first;
    if (links_find(packer->links, status, packer->path.data, &first, error) < 0)
        return -1;
    if (!first)
        return 0;
    struct head head = { .type = '1', .name = packer->path.data, .link = first, .status = status, .real_size = -1 };
    return pack_header(packer, &head, error) < 0 ? -1 : 1;
}

static int refuse_reference(struct packer *packer, int file, struct unpack_error *error)
{
    if (!(packer->options->flags & PODPY_PACK_DIFF) || !pack_refers_to_lower(file))
        return 0;
    return unpack_fail(error, EOPNOTSUPP,
                       "%.300s: overlay keeps only a reference to the image here (redirect_dir or metacopy is on)",
                       packer->path.data);
}

int pack_file(struct packer *packer, int file, const struct stat *status, struct unpack_error *error)
{
    struct tar_xattr *xattrs = NULL;
    size_t count = 0;
    if ((packer->options->flags & PODPY_PACK_DIFF) && status->st_size == 0 && pack_is_whiteout_file(file))
        return pack_whiteout(packer, error);
    if (refuse_reference(packer, file, error) < 0)
        return -1;
    int linked = write_as_link(packer, status, error);
    if (linked)
        return linked < 0 ? -1 : 0;
    int result = pack_read_xattrs(packer, file, &xattrs, &count, error);
    if (result == 0) {
        struct head head = { .type = '0', .name = packer->path.data, .status = status, .size = status->st_size,
                             .xattrs = xattrs, .xattr_count = count, .real_size = -1 };
        result = pack_content(packer, file, status, &head, error);
    }
    tar_free_xattrs(&xattrs, &count);
    return result;
}

/* Hides all entries of lower layers in the directory. */
static int write_opaque(struct packer *packer, struct unpack_error *error)
{
    struct stat plain = { .st_mode = S_IFREG | 0600 };
    size_t before = packer->path.size;
    if (text_append(&packer->path, OPAQUE, strlen(OPAQUE), error) < 0)
        return -1;
    struct head head = { .type = '0', .name = packer->path.data, .status = &plain, .real_size = -1 };
    int result = pack_header(packer, &head, error);
    text_cut(&packer->path, before);
    return result;
}

/* `path` ends with a slash, or is empty: the top itself, without a name. */
int pack_directory(struct packer *packer, int directory, const struct stat *status, struct unpack_error *error)
{
    struct tar_xattr *xattrs = NULL;
    size_t count = 0;
    if (refuse_reference(packer, directory, error) < 0)
        return -1;
    int result = pack_read_xattrs(packer, directory, &xattrs, &count, error);
    if (result == 0) {
        struct head head = { .type = '5', .name = packer->path.size ? packer->path.data : "./", .status = status,
                             .xattrs = xattrs, .xattr_count = count, .real_size = -1 };
        result = pack_header(packer, &head, error);
    }
    tar_free_xattrs(&xattrs, &count);
    if (result == 0 && (packer->options->flags & PODPY_PACK_DIFF) && pack_is_opaque(directory))
        result = write_opaque(packer, error);
    return result;
}

static int write_symlink(struct packer *packer, int parent, const char *base, const struct stat *status,
                         struct unpack_error *error)
{
    char target[PATH_MAX];
    ssize_t size = readlinkat(parent, base, target, sizeof target - 1);
    if (size < 0)
        return errno == ENOENT ? 0 : pack_fail(packer, "reading the symbolic link", error);
    target[size] = '\0';
    struct head head = { .type = '2', .name = packer->path.data, .link = target, .status = status, .real_size = -1 };
    return pack_header(packer, &head, error);
}

int pack_other(struct packer *packer, int parent, const char *base, const struct stat *status, struct unpack_error *error)
{
    if (S_ISSOCK(status->st_mode)) {
        packer->result->sockets++;
        return 0;
    }
    if (S_ISCHR(status->st_mode) && status->st_rdev == 0 && (packer->options->flags & PODPY_PACK_DIFF))
        return pack_whiteout(packer, error);
    int linked = write_as_link(packer, status, error);
    if (linked)
        return linked < 0 ? -1 : 0;
    if (S_ISLNK(status->st_mode))
        return write_symlink(packer, parent, base, status, error);
    struct head head = { .type = '6', .name = packer->path.data, .status = status, .real_size = -1 };
    if (S_ISCHR(status->st_mode))
        head.type = '3';
    else if (S_ISBLK(status->st_mode))
        head.type = '4';
    return pack_header(packer, &head, error);
}

/* Overlay's whiteouts may be one file with many names; owner and time are meaningless. */
int pack_whiteout(struct packer *packer, struct unpack_error *error)
{
    struct stat plain = { .st_mode = S_IFREG | 0600 };
    struct text name = { 0 };
    const char *path = packer->path.data, *slash = strrchr(path, '/');
    size_t directory = slash ? (size_t)(slash + 1 - path) : 0;
    int result = text_append(&name, path, directory, error);
    if (result == 0)
        result = text_append(&name, WHITEOUT, strlen(WHITEOUT), error);
    if (result == 0)
        result = text_append(&name, path + directory, packer->path.size - directory, error);
    struct head head = { .type = '0', .name = name.data, .status = &plain, .real_size = -1 };
    if (result == 0)
        result = pack_header(packer, &head, error);
    text_free(&name);
    return result;
}
