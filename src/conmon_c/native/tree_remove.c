/* rm -r, without following links, with few descriptors however deep the tree is.
 *
 * A layer's depth has no limit (a path through a symbolic link starts again), so a directory that is too deep is moved to the
 * top and removed there. Python's shutil.rmtree takes twice the time and fails on deep trees.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unpack.h"

#define MAX_DEPTH 64
#define OPEN_DIRECTORY (O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)

struct removal {
    int top;
    unsigned moved;
    bool moved_any;
};

static int remove_content(struct removal *removal, int directory, int depth);

static int open_directory(int parent, const char *name)
{
    int directory = openat(parent, name, OPEN_DIRECTORY);
    /* Without root's rights, not even in a user namespace: the owner may still open it after a chmod. */
    if (directory < 0 && errno == EACCES && fchmodat(parent, name, 0700, AT_SYMLINK_NOFOLLOW) == 0)
        directory = openat(parent, name, OPEN_DIRECTORY);
    return directory;
}

static int move_up(struct removal *removal, int parent, const char *name)
{
    char moved[32];
    removal->moved_any = true;
    for (;;) { /* the tree may have a file with this name */
        snprintf(moved, sizeof moved, ".podpy-rm-%u", removal->moved++);
        if (renameat2(parent, name, removal->top, moved, RENAME_NOREPLACE) == 0 || errno == ENOENT)
            return 0;
        if (errno != EEXIST)
            return -1;
    }
}

static int remove_directory(struct removal *removal, int parent, const char *name, int depth)
{
    if (depth >= MAX_DEPTH)
        return move_up(removal, parent, name);
    int directory = open_directory(parent, name);
    if (directory < 0)
        return errno == ENOENT ? 0 : -1;
    if (remove_content(removal, directory, depth) < 0)
        return -1;
    return unlinkat(parent, name, AT_REMOVEDIR) < 0 && errno != ENOENT ? -1 : 0;
}

static int remove_entry(struct removal *removal, int directory, const struct dirent *entry, int depth)
{
    if (entry->d_type != DT_DIR) {
        if (unlinkat(directory, entry->d_name, 0) == 0 || errno == ENOENT)
            return 0;
        if (errno == EACCES && fchmod(directory, 0700) == 0 && unlinkat(directory, entry->d_name, 0) == 0)
            return 0;
        if (errno != EISDIR)
            return -1;
    }
    return remove_directory(removal, directory, entry->d_name, depth + 1);
}

static int remove_entries(struct removal *removal, DIR *stream, int depth)
{
    for (;;) {
        errno = 0;
        struct dirent *entry = readdir(stream);
        if (!entry)
            return errno ? -1 : 0;
        if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..")
            && remove_entry(removal, dirfd(stream), entry, depth) < 0)
            return -1;
    }
}

/* Takes over the descriptor. */
static int remove_content(struct removal *removal, int directory, int depth)
{
    DIR *stream = fdopendir(directory);
    if (!stream) {
        close(directory);
        return -1;
    }
    int result = 0;
    do {
        if (depth == 0)
            removal->moved_any = false;
        rewinddir(stream);
        result = remove_entries(removal, stream, depth);
    } while (result == 0 && depth == 0 && removal->moved_any);
    int code = errno;
    closedir(stream);
    errno = code;
    return result;
}

int podpy_tree_remove(int parent, const char *base)
{
    struct stat status;
    if (fstatat(parent, base, &status, AT_SYMLINK_NOFOLLOW) < 0)
        return errno == ENOENT ? 0 : -1;
    if (!S_ISDIR(status.st_mode))
        return unlinkat(parent, base, 0) < 0 && errno != ENOENT ? -1 : 0;
    /* Twice more, in case a process that is just being killed still wrote into it. */
    for (int attempt = 0;; attempt++) {
        int directory = open_directory(parent, base);
        if (directory < 0)
            return errno == ENOENT ? 0 : -1;
        struct removal removal = { .top = directory };
        if (remove_content(&removal, directory, 0) == 0
            && (unlinkat(parent, base, AT_REMOVEDIR) == 0 || errno == ENOENT))
            return 0;
        if (errno != ENOTEMPTY || attempt == 2)
            return -1;
        usleep(100000);
    }
}
