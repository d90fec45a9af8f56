#define _GNU_SOURCE
#include "input.h"

#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "context.h"

static void flush(struct context *ctx)
{
    struct input *input = &ctx->input;

    while (input->begin < input->end) {
        ssize_t n = write(input->source.fd, ctx->buffers->input + input->begin, input->end - input->begin);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN) {
            loop_watch(&ctx->loop, &input->source, EPOLLOUT);
            return;
        }
        if (n < 0) {
            /* EPIPE: the container has closed its stdin. Further input is dropped. */
            loop_close(&ctx->loop, &input->source);
            break;
        }
        input->begin += (size_t)n;
    }
    input->begin = input->end = 0;
    loop_unwatch(&ctx->loop, &input->source);
    if (input->end_asked)
        loop_close(&ctx->loop, &input->source);
}

static void writable(struct context *ctx, struct source *source, uint32_t events)
{
    (void)source;
    (void)events;
    flush(ctx);
    if (input_ready(&ctx->input))
        clients_resume_input(ctx);
}

void input_set(struct context *ctx, int fd)
{
    ctx->input.source.fd = fd;
    ctx->input.source.ready = writable;
    ctx->input.waiting = false;
    clients_resume_input(ctx);
}

bool input_ready(const struct input *input)
{
    return !input->waiting && input->begin == input->end;
}

void input_take(struct context *ctx, size_t size)
{
    if (ctx->input.source.fd < 0 || ctx->input.end_asked)
        return;
    ctx->input.begin = 0;
    ctx->input.end = size;
    flush(ctx);
}

void input_end(struct context *ctx)
{
    struct input *input = &ctx->input;

    /* A terminal can't be given an end of file: users type ^D. Closing our end would hang it up. */
    if (ctx->options.terminal || !ctx->options.stdin_open || ctx->options.leave_stdin_open)
        return;
    input->end_asked = true;
    if (input->begin == input->end)
        loop_close(&ctx->loop, &input->source);
}

void input_stop(struct context *ctx)
{
    ctx->input.waiting = false;
    ctx->input.begin = ctx->input.end = 0;
    loop_close(&ctx->loop, &ctx->input.source);
    clients_resume_input(ctx);
}
