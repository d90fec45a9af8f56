/* k8s-file: "TIME STREAM TAG TEXT\n", where the tag is F for a whole line and P for a piece of one. */
#define _GNU_SOURCE
#include <string.h>

#include "context.h"

static const char *const stream_names[STREAMS] = {" stdout F ", " stderr F "};

#define NAME_SIZE 10
#define HEAD_SIZE (LOCAL_TIME_SIZE + NAME_SIZE)
#define TAG_AT (HEAD_SIZE - 2)

static void write_k8s(struct context *ctx, struct sink *sink, int stream, const unsigned char *data, size_t size)
{
    struct log_file *file = &sink->file;
    char head[HEAD_SIZE];
    bool whole;

    /* One time for everything that was read at once. */
    log_time_local(&ctx->log, head);
    memcpy(head + LOCAL_TIME_SIZE, stream_names[stream], NAME_SIZE);
    while (size > 0) {
        size_t length = log_line(data, size, &whole);
        if (!log_file_begin(ctx, file, HEAD_SIZE + length + !whole))
            break;
        head[TAG_AT] = whole ? 'F' : 'P';
        log_file_add(ctx, file, head, HEAD_SIZE);
        log_file_add(ctx, file, data, length);
        if (!whole)
            log_file_add(ctx, file, "\n", 1);
        data += length;
        size -= length;
    }
    log_file_flush(ctx, file);
}

int log_k8s_open(struct context *ctx, struct sink *sink, const char *path, struct error *err)
{
    sink->write = write_k8s;
    return log_file_open(ctx, &sink->file, path, err);
}
