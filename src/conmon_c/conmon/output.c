#define _GNU_SOURCE
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "context.h"
#include "../common/memory.h"

#define TERMINAL_RETRY_MS 100
#define IDLE_MS 500
#define READS_IN_A_ROW 8
/* Linux's default pipe holds 64 kB; with a larger one, a busy container and its monitor switch less often. A user's
   pipe memory is limited (pipe-user-pages-soft), so it isn't much larger. */
#define PIPE_SIZE (256 * 1024)

static void stream_ready(struct context *ctx, struct source *source, uint32_t events);

static int make_pipe(int fds[2], struct error *err)
{
    if (pipe2(fds, O_CLOEXEC) < 0)
        return fail(err, "pipe2: %m");
    /* Other users in the container must be able to open /dev/stdout, /proc/self/fd/1 and so on. */
    fchmod(fds[0], 0666);
    return 0;
}

static int open_stream(struct context *ctx, int stream, int *child_end, struct error *err)
{
    int fds[2];

    if (make_pipe(fds, err) < 0)
        return -1;
    fcntl(fds[0], F_SETFL, O_NONBLOCK); /* only our end: the container's end is another open file */
    ctx->output.streams[stream].source.fd = fds[0];
    *child_end = fds[1];
    return 0;
}

int output_open(struct context *ctx, struct error *err)
{
    struct output *output = &ctx->output;
    int fds[2];

    for (int i = 0; i < STREAM_COUNT; i++) {
        output->streams[i].source.fd = -1;
        output->streams[i].source.ready = stream_ready;
    }
    output->child_stdin = output->child_stdout = output->child_stderr = -1;
    ctx->input.source.fd = -1;
    if (ctx->log.passthrough)
        return 0;
    if (open_stream(ctx, STREAM_STDERR, &output->child_stderr, err) < 0)
        return -1;
    if (ctx->options.terminal)
        return 0;
    if (open_stream(ctx, STREAM_STDOUT, &output->child_stdout, err) < 0)
        return -1;
    if (!ctx->options.stdin_open)
        return 0;
    if (make_pipe(fds, err) < 0)
        return -1;
    output->child_stdin = fds[0];
    fcntl(fds[1], F_SETFL, O_NONBLOCK);
    input_set(ctx, fds[1]);
    return 0;
}

void output_close_child_ends(struct output *output)
{
    close_fd(&output->child_stdin);
    close_fd(&output->child_stdout);
    close_fd(&output->child_stderr);
}

void output_set_terminal(struct context *ctx, int fd)
{
    struct stream *stream = &ctx->output.streams[STREAM_STDOUT];

    stream->source.fd = fd;
    stream->terminal = true;
    output_update(ctx);
}

static void give_memory_back(struct context *ctx)
{
    if (ctx->input.begin == ctx->input.end)
        madvise(ctx->buffers, sizeof(*ctx->buffers), MADV_DONTNEED);
    clients_give_memory_back(&ctx->clients);
    memory_give_text_back();
    ctx->output.used = false;
}

/* Nobody needs the bytes: splice(2) to /dev/null copies nothing through this process. */
static ssize_t discard(struct context *ctx, struct stream *stream)
{
    return splice(stream->source.fd, NULL, ctx->null_fd, NULL, 1 << 20, SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
}

/* Reads once, and passes the bytes to logs and clients. Returns the result of read(2). */
static ssize_t pump_once(struct context *ctx, struct stream *stream, size_t limit)
{
    int number = (int)(stream - ctx->output.streams);
    unsigned char *buffer = ctx->buffers->output;
    ssize_t n;

    if (!stream->terminal && !log_wanted(&ctx->log) && ctx->clients.count == 0 && ctx->process.runtime_pid == 0) {
        n = discard(ctx, stream);
        if (n >= 0 || errno != EINVAL)
            return n;
    }
    do
        n = read(stream->source.fd, buffer, limit < BUFFER_SIZE ? limit : BUFFER_SIZE);
    while (n < 0 && errno == EINTR);
    if (n <= 0)
        return n;
    ctx->output.used = true;
    if (ctx->process.runtime_pid > 0 && number == STREAM_STDERR)
        runtime_remember(&ctx->runtime, buffer, (size_t)n);
    log_write(ctx, number, buffer, (size_t)n);
    clients_send(ctx, number, buffer, (size_t)n);
    return n;
}

static void look_again(struct context *ctx)
{
    output_update(ctx);
}

/* Nobody has the terminal open now, but a process may open it again, so this isn't the end. epoll would report the
   hang-up again and again. */
static void terminal_hung_up(struct context *ctx, struct stream *stream)
{
    loop_unwatch(&ctx->loop, &stream->source);
    loop_timer(&ctx->loop, TIMER_TERMINAL, TERMINAL_RETRY_MS, look_again);
}

static void stream_ready(struct context *ctx, struct source *source, uint32_t events)
{
    struct stream *stream = (struct stream *)source; /* its first member */
    ssize_t n = -1;

    (void)events;
    for (int i = 0; i < READS_IN_A_ROW && !ctx->clients.blocked; i++) {
        n = pump_once(ctx, stream, BUFFER_SIZE);
        /* A short read has emptied the pipe: another read would only cost a call. */
        if (n < BUFFER_SIZE)
            break;
    }
    if (!loop_timer_set(&ctx->loop, TIMER_IDLE))
        loop_timer(&ctx->loop, TIMER_IDLE, IDLE_MS, give_memory_back);
    if (n > 0 || (n < 0 && errno == EAGAIN))
        return;
    if (stream->terminal)
        terminal_hung_up(ctx, stream);
    else if (!ctx->clients.blocked)
        loop_close(&ctx->loop, source);
}

void output_update(struct context *ctx)
{
    for (int i = 0; i < STREAM_COUNT; i++) {
        struct source *source = &ctx->output.streams[i].source;
        if (!ctx->output.pumping || source->fd < 0)
            continue;
        if (ctx->clients.blocked)
            loop_unwatch(&ctx->loop, source);
        else
            loop_watch(&ctx->loop, source, EPOLLIN);
    }
}

void output_start(struct context *ctx)
{
    clients_accept(ctx); /* they connected before the start, so they must miss no byte */
    ctx->output.pumping = true;
    output_update(ctx);
    loop_timer(&ctx->loop, TIMER_IDLE, IDLE_MS, give_memory_back);
}

static void drain_stream(struct context *ctx, struct stream *stream)
{
    int there = 0;
    size_t left = 1 << 20; /* for a terminal, whose queue length is unknown */

    if (stream->source.fd < 0)
        return;
    if (!stream->terminal && ioctl(stream->source.fd, FIONREAD, &there) == 0)
        left = (size_t)there;
    while (left > 0) {
        ssize_t n = pump_once(ctx, stream, left);
        if (n <= 0)
            break;
        left -= (size_t)n < left ? (size_t)n : left;
    }
    loop_close(&ctx->loop, &stream->source);
}

void output_drain(struct context *ctx)
{
    ctx->output.pumping = false;
    for (int i = 0; i < STREAM_COUNT; i++)
        drain_stream(ctx, &ctx->output.streams[i]);
}
