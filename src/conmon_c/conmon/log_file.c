/* A log file: buffered within one call, rotated by renaming, readable even after a full disk. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "context.h"

static int open_log(const char *path)
{
    return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0640);
}

int log_file_open(struct context *ctx, struct log_file *file, const char *path, struct error *err)
{
    struct stat status;

    (void)ctx;
    file->path = path;
    file->fd = open_log(path);
    if (file->fd < 0 || fstat(file->fd, &status) < 0)
        return fail(err, "Failed to open log file %s: %m", path);
    file->regular = S_ISREG(status.st_mode);
    file->size = file->regular ? status.st_size : 0;
    file->total = file->size;
    file->boundary = file->size;
    return 0;
}

/* Finds the end of the last whole entry after `done` bytes of the buffer were written at `start`. An entry has a
   newline only at its end. */
static void note_boundary(struct context *ctx, struct log_file *file, off_t start, size_t done)
{
    const unsigned char *newline = memrchr(ctx->buffers->log, '\n', done);

    if (newline != NULL)
        file->boundary = start + (newline - ctx->buffers->log) + 1;
}

/* The disk is full, or broken. The container must go on, so output is dropped. Half an entry would break the file for
   readers, so it is truncated after the last whole one. */
static void give_up(struct context *ctx, struct log_file *file, off_t start, size_t done, size_t size)
{
    off_t end = start + (off_t)size;

    if (!file->failing)
        message(ctx, LEVEL_ERROR, "write to log file %s: %m; output is lost until it can be written again", file->path);
    file->failing = true;
    note_boundary(ctx, file, start, done);
    if (file->regular && file->boundary < start + (off_t)done && ftruncate(file->fd, file->boundary) < 0)
        message(ctx, LEVEL_ERROR, "cut log file %s: %m", file->path);
    file->lost += (uint64_t)(end - file->boundary);
    file->size = file->boundary;
    file->skipping = ctx->buffers->log[size - 1] != '\n';
}

void log_file_flush(struct context *ctx, struct log_file *file)
{
    size_t done = 0;
    size_t size = file->buffered;
    off_t start = file->size - (off_t)size;

    file->buffered = 0;
    while (done < size) {
        ssize_t n = write(file->fd, ctx->buffers->log + done, size - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            give_up(ctx, file, start, done, size);
            return;
        }
        done += (size_t)n;
    }
    if (size > 0) {
        file->failing = false;
        note_boundary(ctx, file, start, size);
    }
}

void log_file_add(struct context *ctx, struct log_file *file, const void *data, size_t size)
{
    const unsigned char *at = data;

    while (size > 0 && !file->skipping) {
        size_t room = BUFFER_SIZE - file->buffered;
        size_t part = size < room ? size : room;
        memcpy(ctx->buffers->log + file->buffered, at, part);
        file->buffered += part;
        file->size += (off_t)part;
        file->total += (int64_t)part;
        at += part;
        size -= part;
        if (file->buffered == BUFFER_SIZE)
            log_file_flush(ctx, file);
    }
    if (file->skipping)
        file->lost += size;
}

bool log_file_begin(struct context *ctx, struct log_file *file, size_t size)
{
    int64_t max = ctx->options.log_size_max;
    int64_t global_max = ctx->options.log_global_size_max;

    file->skipping = false;
    if (global_max > 0 && file->total >= global_max)
        return false;
    if (max > 0 && file->size > 0 && file->size + (off_t)size > max)
        log_file_rotate(ctx, file);
    return true;
}

/* PATH.n-1 becomes PATH.n, ..., PATH becomes PATH.1; the last one is removed. */
static int shift(const struct log_file *file, int64_t keep)
{
    for (int64_t i = keep; i >= 1; i--) {
        FREE char *from = NULL;
        FREE char *to = NULL;
        int r = i == 1 ? asprintf(&from, "%s", file->path) : asprintf(&from, "%s.%d", file->path, (int)i - 1);
        if (r < 0 || asprintf(&to, "%s.%d", file->path, (int)i) < 0)
            return -1;
        if (rename(from, to) < 0 && errno != ENOENT)
            return -1;
    }
    return 0;
}

/* A new, empty file replaces the old one. If anything fails, the old one is still written to: a log that is too long is
   better than a lost one. */
void log_file_rotate(struct context *ctx, struct log_file *file)
{
    int64_t keep = ctx->options.log_max_files;

    log_file_flush(ctx, file);
    if (!file->regular)
        return;
    if (keep == 0 && unlink(file->path) < 0 && errno != ENOENT) {
        message(ctx, LEVEL_WARN, "remove log file %s: %m", file->path);
        return;
    }
    if (keep > 0 && shift(file, keep) < 0) {
        message(ctx, LEVEL_WARN, "rotate log file %s: %m", file->path);
        return;
    }
    int fd = open_log(file->path);
    if (fd < 0) {
        message(ctx, LEVEL_WARN, "open new log file %s: %m", file->path);
        return;
    }
    close(file->fd);
    file->fd = fd;
    file->size = 0;
    file->boundary = 0;
}
