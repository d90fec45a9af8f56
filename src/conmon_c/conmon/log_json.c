/* json-file: Docker's lines {"log":"TEXT\n","stream":"stdout","time":"..."}; a piece of a line has no "\n". */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "context.h"
#include "json.h"

static const char *const stream_names[STREAMS] = {"stdout", "stderr"};

static void add_text(struct context *ctx, struct log_file *file, const char *text)
{
    log_file_add(ctx, file, text, strlen(text));
}

/* A byte that needs an escape in a JSON string. */
static void add_escaped(struct context *ctx, struct log_file *file, unsigned char c)
{
    char text[8];

    json_escape_byte(text, c);
    add_text(ctx, file, text);
}

static void add_string(struct context *ctx, struct log_file *file, const unsigned char *at, size_t size)
{
    while (size > 0) {
        size_t run = 0;
        while (run < size && json_is_plain(at[run]))
            run++;
        if (run == 0 && at[0] < 0x80) {
            add_escaped(ctx, file, at[0]);
            run = 1;
        } else if (run == 0) {
            int length = json_sequence(at, size);
            /* JSON is Unicode: bytes that aren't UTF-8 become the replacement character, as in Docker. */
            if (length <= 0)
                add_text(ctx, file, "\xef\xbf\xbd");
            else
                log_file_add(ctx, file, at, (size_t)length);
            run = length <= 0 ? 1 : (size_t)length;
        } else {
            log_file_add(ctx, file, at, run);
        }
        at += run;
        size -= run;
    }
}

static void add_entry(struct context *ctx, struct sink *sink, int stream, const unsigned char *data, size_t size)
{
    struct carry *carry = &sink->carry[stream];
    char time[UTC_TIME_SIZE];

    log_time_utc(time);
    add_text(ctx, &sink->file, "{\"log\":\"");
    add_string(ctx, &sink->file, carry->bytes, carry->count);
    add_string(ctx, &sink->file, data, size);
    add_text(ctx, &sink->file, "\",\"stream\":\"");
    add_text(ctx, &sink->file, stream_names[stream]);
    add_text(ctx, &sink->file, sink->fields);
    add_text(ctx, &sink->file, ",\"time\":\"");
    log_file_add(ctx, &sink->file, time, sizeof(time));
    add_text(ctx, &sink->file, "\"}\n");
    carry->count = 0;
}

/* Returns how many bytes at the end begin an incomplete UTF-8 sequence. */
static size_t cut_tail(const unsigned char *data, size_t size)
{
    for (size_t back = 1; back <= 3 && back <= size; back++) {
        unsigned char c = data[size - back];
        if (c >= 0xc0)
            return json_sequence(data + size - back, back) < 0 ? back : 0;
        if (c < 0x80)
            return 0;
    }
    return 0;
}

/* Completes a sequence that the last read cut. */
static void complete_carry(struct carry *carry, const unsigned char **data, size_t *size)
{
    while (carry->count > 0 && *size > 0 && (**data & 0xc0) == 0x80 && json_sequence(carry->bytes, carry->count) < 0) {
        carry->bytes[carry->count++] = **data;
        (*data)++;
        (*size)--;
    }
}

static void write_json(struct context *ctx, struct sink *sink, int stream, const unsigned char *data, size_t size)
{
    struct carry *carry = &sink->carry[stream];
    bool whole;

    complete_carry(carry, &data, &size);
    if (size == 0 && carry->count > 0 && json_sequence(carry->bytes, carry->count) < 0)
        return;
    do {
        size_t length = log_line(data, size, &whole);
        size_t tail = whole ? 0 : cut_tail(data, length);
        if (!log_file_begin(ctx, &sink->file, 2 * length + 100))
            break;
        if (carry->count + length - tail > 0)
            add_entry(ctx, sink, stream, data, length - tail);
        memcpy(carry->bytes, data + length - tail, tail);
        carry->count = tail;
        data += length;
        size -= length;
    } while (size > 0);
    log_file_flush(ctx, &sink->file);
}

static void finish_json(struct context *ctx, struct sink *sink)
{
    for (int stream = 0; stream < STREAMS; stream++)
        if (sink->carry[stream].count > 0 && log_file_begin(ctx, &sink->file, 128))
            add_entry(ctx, sink, stream, NULL, 0);
    log_file_flush(ctx, &sink->file);
}

static char *add_attribute(char *to, const char *separator, const char *name, size_t length, const char *value)
{
    to += sprintf(to, "%s\"%.*s\":\"", separator, (int)length, name);
    for (; *value != '\0'; value++) {
        if (*value == '"' || *value == '\\')
            *to++ = '\\';
        to += sprintf(to, (unsigned char)*value < 0x20 ? "\\u%04x" : "%c", *value);
    }
    return stpcpy(to, "\"");
}

/* The text between stream and time in every entry: Docker's "attrs" with the tag and the labels. */
static char *make_attributes(const struct options *options)
{
    const char *separator = "";
    size_t size = 64 + (options->log_tag ? 6 * strlen(options->log_tag) : 0);

    for (int i = 0; i < options->log_labels.count; i++)
        size += 6 * strlen(options->log_labels.items[i]) + 16;
    char *text = malloc(size);
    if (text == NULL)
        return NULL;
    char *to = stpcpy(text, "\"");
    if (options->log_tag == NULL && options->log_labels.count == 0)
        return text;
    to = stpcpy(to, ",\"attrs\":{");
    if (options->log_tag != NULL) {
        to = add_attribute(to, separator, "tag", 3, options->log_tag);
        separator = ",";
    }
    for (int i = 0; i < options->log_labels.count; i++) {
        const char *label = options->log_labels.items[i];
        const char *equals = strchr(label, '=');
        to = add_attribute(to, separator, label, (size_t)(equals - label), equals + 1);
        separator = ",";
    }
    stpcpy(to, "}");
    return text;
}

int log_json_open(struct context *ctx, struct sink *sink, const char *path, struct error *err)
{
    sink->write = write_json;
    sink->finish = finish_json;
    sink->fields = make_attributes(&ctx->options);
    if (sink->fields == NULL)
        return fail(err, "out of memory");
    return log_file_open(ctx, &sink->file, path, err);
}
