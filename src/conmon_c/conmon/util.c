#define _GNU_SOURCE
#include "util.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

int fail(struct error *err, const char *format, ...)
{
    va_list args;

    if (err == NULL)
        return -1;
    va_start(args, format);
    vsnprintf(err->text, sizeof(err->text), format, args);
    va_end(args);
    return -1;
}

void close_fd(int *fd)
{
    /* Linux frees the number even if close reports EINTR: a retry could close another file. */
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

void free_pointer(void *pointer)
{
    free(*(void **)pointer);
}

int write_all(int fd, const void *data, size_t size)
{
    const char *at = data;

    while (size > 0) {
        ssize_t n = write(fd, at, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return -1;
        at += n;
        size -= (size_t)n;
    }
    return 0;
}

ssize_t read_file(const char *path, char *buffer, size_t size)
{
    CLOSE_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    size_t have = 0;

    if (fd < 0)
        return -1;
    while (have < size - 1) {
        ssize_t n = read(fd, buffer + have, size - 1 - have);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        have += (size_t)n;
    }
    buffer[have] = '\0';
    return (ssize_t)have;
}

char *path_join(const char *directory, const char *name)
{
    char *path;

    return asprintf(&path, "%s/%s", directory, name) < 0 ? NULL : path;
}

/* The kernel's own mtime is that of the last clock tick, up to 10 ms ago: a container's end would seem to be before the
   signal that caused it. */
static int set_exact_time(int fd)
{
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}};

    if (clock_gettime(CLOCK_REALTIME, &times[1]) < 0)
        return -1;
    return futimens(fd, times);
}

static int write_aside(const char *aside, const char *text, bool durable, struct error *err)
{
    CLOSE_FD int fd = open(aside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644);

    if (fd < 0)
        return fail(err, "open %s: %m", aside);
    if (write_all(fd, text, strlen(text)) < 0)
        return fail(err, "write %s: %m", aside);
    if (durable && set_exact_time(fd) < 0)
        return fail(err, "set the time of %s: %m", aside);
    if (durable && fsync(fd) < 0)
        return fail(err, "fsync %s: %m", aside);
    return 0;
}

static int sync_directory_of(const char *path, struct error *err)
{
    FREE char *directory = strdup(path);
    char *slash = directory ? strrchr(directory, '/') : NULL;
    CLOSE_FD int fd = -1;

    if (slash == directory && slash != NULL)
        slash++;
    if (slash != NULL)
        *slash = '\0';
    fd = open(slash ? directory : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return fail(err, "open directory of %s: %m", path);
    /* Some file systems can't sync a directory (EINVAL); there, the rename must do. */
    if (fsync(fd) < 0 && errno != EINVAL)
        return fail(err, "fsync directory of %s: %m", path);
    return 0;
}

int replace_file(const char *path, const char *text, bool durable, struct error *err)
{
    FREE char *aside = NULL;

    /* The pid makes the name unique: a second monitor of the same container can't write into our unfinished file. */
    if (asprintf(&aside, "%s.%d.new", path, (int)getpid()) < 0)
        return fail(err, "out of memory");
    if (write_aside(aside, text, durable, err) < 0) {
        unlink(aside);
        return -1;
    }
    if (rename(aside, path) < 0) {
        fail(err, "rename %s to %s: %m", aside, path);
        unlink(aside);
        return -1;
    }
    return durable ? sync_directory_of(path, err) : 0;
}

bool parse_number(const char *text, int64_t *value)
{
    char *end;

    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0')
        return false;
    *value = number;
    return true;
}

int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
