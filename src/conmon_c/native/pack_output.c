/* The archive's output: a pipe, a file, a socket, an unpacker.
 *
 * Headers and small files are collected in a buffer. A large file's content goes from the page cache to the descriptor by
 * sendfile(2), which saves one of two copies; if that is impossible, it is read into the buffer.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "pack_internal.h"

#define BUFFER_SIZE (256 << 10)
#define SMALL (128 << 10) /* up to so many bytes, a copy is cheaper than a separate call */
#define MOST_AT_ONCE (1 << 30)

struct output {
    int descriptor;
    struct podpy_unpack *target; /* or NULL */
    struct podpy_pack_result *result;
    bool no_sendfile;
    size_t used;
    uint8_t buffer[BUFFER_SIZE];
};

struct output *output_new(int descriptor, struct podpy_unpack *target, struct podpy_pack_result *result)
{
    struct output *output = malloc(sizeof *output);
    if (output) {
        output->descriptor = descriptor;
        output->target = target;
        output->result = result;
        output->no_sendfile = target != NULL;
        output->used = 0;
    }
    return output;
}

void output_free(struct output *output)
{
    free(output);
}

static int fail_to_write(struct output *output, struct unpack_error *error)
{
    int code = errno;
    output->result->output_failed = 1;
    return unpack_fail(error, code, "writing the archive: %s", strerror(code));
}

/* The caller's descriptor may be non-blocking (O_NONBLOCK belongs to the open file, which others share). */
static bool may_go_on(struct output *output)
{
    if (errno == EINTR)
        return true;
    if (errno != EAGAIN)
        return false;
    struct pollfd waited = { .fd = output->descriptor, .events = POLLOUT };
    return ppoll(&waited, 1, NULL, NULL) >= 0 || errno == EINTR;
}

static int write_to_unpacker(struct output *output, const uint8_t *data, size_t size, struct unpack_error *error)
{
    if (podpy_unpack_feed(output->target, data, size) < 0) {
        errno = ECANCELED;
        return fail_to_write(output, error);
    }
    output->result->bytes += (int64_t)size;
    return 0;
}

static int write_all(struct output *output, const uint8_t *data, size_t size, struct unpack_error *error)
{
    if (output->target)
        return write_to_unpacker(output, data, size, error);
    while (size > 0) {
        ssize_t count = write(output->descriptor, data, size);
        if (count < 0) {
            if (may_go_on(output))
                continue;
            return fail_to_write(output, error);
        }
        data += count;
        size -= (size_t)count;
        output->result->bytes += count;
    }
    return 0;
}

int output_flush(struct output *output, struct unpack_error *error)
{
    size_t size = output->used;
    output->used = 0;
    return write_all(output, output->buffer, size, error);
}

int output_write(struct output *output, const void *data, size_t size, struct unpack_error *error)
{
    const uint8_t *from = data;
    while (size > 0) {
        if (output->used == BUFFER_SIZE && output_flush(output, error) < 0)
            return -1;
        size_t room = BUFFER_SIZE - output->used;
        size_t part = size < room ? size : room;
        memcpy(output->buffer + output->used, from, part);
        output->used += part;
        from += part;
        size -= part;
    }
    return 0;
}

int output_zeros(struct output *output, int64_t size, struct unpack_error *error)
{
    while (size > 0) {
        if (output->used == BUFFER_SIZE && output_flush(output, error) < 0)
            return -1;
        size_t room = BUFFER_SIZE - output->used;
        size_t part = size < (int64_t)room ? (size_t)size : room;
        memset(output->buffer + output->used, 0, part);
        output->used += part;
        size -= (int64_t)part;
    }
    return 0;
}

int output_pad(struct output *output, int64_t size, struct unpack_error *error)
{
    return output_zeros(output, -size & (TAR_BLOCK - 1), error);
}

static int fail_to_read(const char *name, struct unpack_error *error)
{
    int code = errno;
    return unpack_fail(error, code, "%.300s: reading it: %s", name, strerror(code));
}

static int64_t copy_by_buffer(struct output *output, int file, int64_t offset, int64_t size, const char *name,
                              struct unpack_error *error)
{
    int64_t done = 0;
    while (done < size) {
        if (output->used == BUFFER_SIZE && output_flush(output, error) < 0)
            return -1;
        size_t room = BUFFER_SIZE - output->used;
        size_t part = size - done < (int64_t)room ? (size_t)(size - done) : room;
        ssize_t count = pread(file, output->buffer + output->used, part, offset + done);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return fail_to_read(name, error);
        if (count == 0)
            break;
        output->used += (size_t)count;
        done += count;
    }
    return done;
}

static bool is_the_writers(int code)
{
    return code == ENOSPC || code == EPIPE || code == EDQUOT || code == EFBIG || code == ECONNRESET;
}

int64_t output_copy(struct output *output, int file, int64_t offset, int64_t size, const char *name,
                    struct unpack_error *error)
{
    int64_t done = 0;
    if (size <= SMALL || output->no_sendfile)
        return copy_by_buffer(output, file, offset, size, name, error);
    if (output_flush(output, error) < 0)
        return -1;
    while (done < size) {
        off_t from = offset + done;
        size_t part = size - done < MOST_AT_ONCE ? (size_t)(size - done) : MOST_AT_ONCE;
        ssize_t count = sendfile(output->descriptor, file, &from, part);
        if (count == 0)
            break;
        if (count > 0) {
            done += count;
            output->result->bytes += count;
        } else if (errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP) { /* O_APPEND, an odd file system */
            output->no_sendfile = errno == EINVAL ? output->no_sendfile : true;
            int64_t rest = copy_by_buffer(output, file, offset + done, size - done, name, error);
            return rest < 0 ? -1 : done + rest;
        } else if (!may_go_on(output)) {
            return is_the_writers(errno) ? fail_to_write(output, error) : fail_to_read(name, error);
        }
    }
    return done;
}
