/* The layer unpacker's internals. Data flows one way:
 *
 *   unpack.c (ring, jailed child)  ->  unpack_tar.c (headers)  ->  unpack_place.c (files)
 *                                      unpack_pax.c, unpack_sparse.c
 *
 * Every function that can fail returns 0 or -1 and fills the error object that is its last argument.
 */
#ifndef PODPY_UNPACK_INTERNAL_H
#define PODPY_UNPACK_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "unpack.h"

#define TAR_BLOCK 512
/* Go's archive/tar, and so Podman, has the same limit for an extended header. */
#define TAR_MAX_META (1 << 20)
#define TAR_MAX_SPARSE (1 << 18)

struct unpack_error {
    int code; /* an errno, or 0 for an invalid tar */
    char text[480];
};

/* unpack_error.c */
__attribute__((format(printf, 3, 4))) int unpack_fail(struct unpack_error *error, int code, const char *format, ...);

struct tar_xattr {
    char *name;
    uint8_t *value;
    size_t size;
};

struct tar_extent {
    int64_t offset;
    int64_t size;
};

/* One entry of the archive, its extended headers applied. */
struct tar_entry {
    char type; /* '0' file, '1' hard link, '2' symbolic link, '3' '4' devices, '5' directory, '6' fifo */
    char *path;
    char *link;
    mode_t mode;
    int64_t uid;
    int64_t gid;
    int64_t size; /* bytes in the archive */
    int64_t real_size; /* bytes of the file: more than `size` if it is sparse */
    struct timespec mtime;
    unsigned major;
    unsigned minor;
    struct tar_xattr *xattrs;
    size_t xattr_count;
    bool sparse;
    struct tar_extent *extents;
    size_t extent_count;
};

/* Values of 'x', 'L' and 'K' headers for the next entry. */
struct tar_extended {
    char *path;
    char *link;
    char *long_path; /* GNU's: these win, in any order */
    char *long_link;
    char *sparse_name;
    bool has_size, has_uid, has_gid, has_mtime, has_real_size;
    int64_t size, uid, gid, real_size;
    struct timespec mtime;
    struct tar_xattr *xattrs;
    size_t xattr_count;
    int sparse_major, sparse_minor; /* -1: not given */
    bool has_sparse;
    struct tar_extent *extents;
    size_t extent_count;
    int64_t pending_offset; /* format 0.0: an offset whose length is still missing; -1: none */
};

/* unpack_pax.c */
void tar_extended_reset(struct tar_extended *extended);
int tar_parse_pax(struct tar_extended *extended, const char *data, size_t size, struct unpack_error *error);
void tar_free_xattrs(struct tar_xattr **xattrs, size_t *count);

/* unpack_number.c */
int tar_decode_number(const uint8_t *field, size_t size, int64_t *value);
int tar_parse_decimal(const char *text, size_t size, int64_t *value);

/* unpack_sparse.c */
int tar_add_extent(struct tar_extent **extents, size_t *count, int64_t offset, int64_t size,
                   struct unpack_error *error);
int tar_parse_sparse_map(struct tar_extended *extended, const char *text, size_t size, struct unpack_error *error);
int tar_check_extents(const struct tar_entry *entry, struct unpack_error *error);
int64_t tar_sparse_prefix_lines(const struct tar_entry *entry, const char *block, struct unpack_error *error);
int tar_parse_sparse_prefix(struct tar_entry *entry, const char *text, size_t size, struct unpack_error *error);

/* unpack_tar.c */
struct tar_reader;
struct place;
struct recipe;
struct tar_reader *tar_reader_new(struct place *place, struct recipe *recipe);
void tar_reader_free(struct tar_reader *reader);
int tar_reader_feed(struct tar_reader *reader, const uint8_t *data, size_t size, struct unpack_error *error);
int tar_reader_end(struct tar_reader *reader, struct unpack_error *error);
/* How many bytes of a file's contents may come by tar_reader_send, which lets the kernel copy up to `size` of them from a
 * descriptor. That returns how many came: 0 at its end, or if it can't be copied from. */
int64_t tar_reader_left(const struct tar_reader *reader);
int64_t tar_reader_send(struct tar_reader *reader, int source, size_t size, struct unpack_error *error);
/* Whether the two blocks of zeros have been read that end an archive. */
bool tar_reader_complete(const struct tar_reader *reader);

/* unpack_header.c */
bool tar_is_zero(const uint8_t *block);
int tar_decode_header(const uint8_t *block, struct tar_entry *entry, struct unpack_error *error);
void tar_entry_reset(struct tar_entry *entry);

/* unpack_place.c */
struct place *place_new(int root, bool jailed, unsigned flags, const struct podpy_unpack_options *options,
                        struct podpy_unpack_result *result);
void place_free(struct place *place);
int place_begin(struct place *place, struct tar_entry *entry, struct unpack_error *error);
/* Returns the path of the file to which the next content is written, or NULL if it is dropped. */
const char *place_path(const struct place *place);
int place_data(struct place *place, const uint8_t *data, size_t size, struct unpack_error *error);
int64_t place_send(struct place *place, int source, size_t size, struct unpack_error *error);
int place_end_entry(struct place *place, struct unpack_error *error);
int place_finish(struct place *place, struct unpack_error *error);

/* unpack_plain.c: files that replace others atomically, through a temporary name */
struct replacement {
    int parent; /* -1: nothing is being replaced */
    char aside[32];
    char *base;
};
/* Returns a descriptor of a new file that will get the name `base`, or -1. */
int replacement_begin(struct replacement *replacement, int parent, const char *base, mode_t mode);
/* Gives the file its name, or (`drop`) removes it. */
int replacement_end(struct replacement *replacement, int file, bool drop);
int64_t plain_owner(int64_t all, const struct podpy_id_map *maps, size_t count, int64_t id);
/* Puts the prefix before a clean name. */
int plain_name(const struct podpy_unpack_options *options, char **clean, struct unpack_error *error);

struct place_name;
struct path_cache;
struct stat;
int plain_refuse_other_kind(unsigned flags, const struct place_name *name, const struct tar_entry *entry,
                            struct unpack_error *error);
int plain_set_mode(const struct place_name *name, mode_t kind, mode_t mode);
bool plain_is_file(unsigned flags, const struct place_name *name);
bool plain_leads_to_directory(unsigned flags, const struct stat *status, struct path_cache *cache, const char *clean);

/* unpack_path.c: names become (parent descriptor, last component) */
struct place_name {
    int parent; /* an O_PATH descriptor, owned by the cache */
    bool parent_setgid;
    const char *base; /* "" for the root itself */
};
/* `implied` is called with `owner` and each directory that is created because an entry lies below it. */
typedef int path_implied(void *owner, int parent, const char *name, const char *path, struct unpack_error *error);
struct path_cache *path_cache_new(int root, bool jailed, const char *opaque_xattr, path_implied *implied, void *owner);
void path_cache_free(struct path_cache *cache);
/* To be called whenever something is removed that may be a directory, or a link to one. */
void path_cache_forget(struct path_cache *cache);
int path_clean(const char *path, char **clean, struct unpack_error *error);
int path_open_parent(struct path_cache *cache, char *clean, bool create, struct place_name *name,
                     struct unpack_error *error);
int path_open_directory(struct path_cache *cache, const char *path);
int path_make_opaque(struct path_cache *cache, int parent, const char *base, struct unpack_error *error);
bool path_is_whiteout(int parent, const char *base);

/* unpack_recipe.c */
struct recipe *recipe_new(int file);
void recipe_free(struct recipe *recipe);
int recipe_literal(struct recipe *recipe, const uint8_t *data, size_t size, struct unpack_error *error);
int recipe_file(struct recipe *recipe, const char *path, const struct tar_entry *entry, struct unpack_error *error);
int recipe_end(struct recipe *recipe, struct unpack_error *error);

/* unpack_jail.c: confines this process to a directory, with one more descriptor (-1: none) to write to. Returns 1 if it is
 * confined, 0 if that isn't permitted here (or it isn't a directory), -1 on error. */
int jail_enter(int *root, int *recipe, struct unpack_error *error);
void jail_drop_rights(unsigned flags);
void jail_drop_rights_of_reader(bool in_userns);

#endif
