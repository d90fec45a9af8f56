/* The packer's internals. Data flows one way:
 *
 *   pack.c (child)  ->  pack_walk.c (directories)  ->  pack_entry.c (files, links, devices)  ->  pack_header.c  ->  pack_output.c
 *                                                      pack_content.c, pack_xattrs.c, pack_links.c
 *
 * Every function that can fail returns 0 or -1 and fills the error object that is its last argument.
 */
#ifndef PODPY_PACK_INTERNAL_H
#define PODPY_PACK_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "pack.h"
#include "unpack_internal.h"

/* A growing byte string. */
#define OPAQUE ".wh..wh..opq"

struct text {
    char *data; /* ends with a NUL; NULL if empty */
    size_t size;
    size_t room;
};

struct packer {
    const struct podpy_pack_options *options;
    struct podpy_pack_result *result;
    struct output *output;
    struct link_table *links;
    struct text path; /* of the present entry, as in the archive */
    size_t prefix; /* bytes of the top's name in `path`, with its slash */
};

/* A header's values besides those of stat(2). */
struct head {
    char type; /* as in tar_entry */
    const char *name;
    const char *link; /* or NULL */
    const struct stat *status;
    int64_t size;
    const struct tar_xattr *xattrs;
    size_t xattr_count;
    int64_t real_size; /* of a sparse file; -1: it isn't one */
};

/* pack_text.c */
int text_append(struct text *text, const void *data, size_t size, struct unpack_error *error);
void text_cut(struct text *text, size_t size);
void text_free(struct text *text);

/* pack_output.c: buffered output, which also works for a non-blocking descriptor; with a `target` it goes into an unpacker, and
 * the descriptor is that child's pidfd */
struct output *output_new(int descriptor, struct podpy_unpack *target, struct podpy_pack_result *result);
void output_free(struct output *output);
int output_write(struct output *output, const void *data, size_t size, struct unpack_error *error);
int output_zeros(struct output *output, int64_t size, struct unpack_error *error);
/* Copies up to `size` bytes of a file; returns the number copied, or -1. */
int64_t output_copy(struct output *output, int file, int64_t offset, int64_t size, const char *name,
                    struct unpack_error *error);
int output_pad(struct output *output, int64_t size, struct unpack_error *error);
int output_flush(struct output *output, struct unpack_error *error);

/* pack_header.c */
int pack_header(struct packer *packer, const struct head *head, struct unpack_error *error);

/* pack_xattrs.c: the attributes of a file that go into an archive, sorted by name */
int pack_read_xattrs(struct packer *packer, int file, struct tar_xattr **xattrs, size_t *count, struct unpack_error *error);
bool pack_is_opaque(int directory);
bool pack_is_whiteout_file(int file);
bool pack_refers_to_lower(int file);

/* pack_links.c */
struct link_table *links_new(void);
void links_free(struct link_table *links);
/* Sets `first` to the name under which the file was written before; or to NULL, and remembers `name`. */
int links_find(struct link_table *links, const struct stat *status, const char *name, const char **first,
               struct unpack_error *error);

/* pack_content.c */
int pack_content(struct packer *packer, int file, const struct stat *status, struct head *head, struct unpack_error *error);

/* pack_entry.c. Each writes the entry of `packer->path`. */
int pack_file(struct packer *packer, int file, const struct stat *status, struct unpack_error *error);
int pack_directory(struct packer *packer, int directory, const struct stat *status, struct unpack_error *error);
int pack_other(struct packer *packer, int parent, const char *base, const struct stat *status, struct unpack_error *error);
int pack_whiteout(struct packer *packer, struct unpack_error *error);
int pack_fail(const struct packer *packer, const char *what, struct unpack_error *error);

/* pack_walk.c */
int pack_tree(struct packer *packer, int top, struct unpack_error *error);
int pack_single(struct packer *packer, int source, const struct stat *status, struct unpack_error *error);

#endif
