#define _GNU_SOURCE
#include "log.h"

#include <ctype.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "context.h"

static bool is_driver(const char *text, size_t length, const char *name)
{
    return strlen(name) == length && strncmp(text, name, length) == 0;
}

/* --log-allowlist-dir: the file's directory, with links resolved, must be one of them or below one. */
static int check_allowed(const struct options *options, const char *path, struct error *err)
{
    char real[PATH_MAX];
    char allowed[PATH_MAX];
    FREE char *copy = strdup(path);
    char *slash = copy ? strrchr(copy, '/') : NULL;

    if (options->log_allow_dirs.count == 0)
        return 0;
    if (slash != NULL)
        slash[slash == copy] = '\0';
    if (realpath(slash ? copy : ".", real) == NULL)
        return fail(err, "log path %s: %m", path);
    for (int i = 0; i < options->log_allow_dirs.count; i++) {
        if (realpath(options->log_allow_dirs.items[i], allowed) == NULL)
            continue;
        size_t length = strlen(allowed);
        if (strncmp(real, allowed, length) == 0 && (real[length] == '\0' || real[length] == '/' || length == 1))
            return 0;
    }
    return fail(err, "log path %s is not below a --log-allowlist-dir", path);
}

static int open_file_sink(struct context *ctx, const char *path, bool json, struct error *err)
{
    struct sink *sink = &ctx->log.sinks[ctx->log.count];

    if (path == NULL || *path == '\0')
        return fail(err, "%s requires a filename", json ? "json-file" : "k8s-file");
    if (check_allowed(&ctx->options, path, err) < 0)
        return -1;
    ctx->log.count++;
    return json ? log_json_open(ctx, sink, path, err) : log_k8s_open(ctx, sink, path, err);
}

/* "DRIVER:PATH", "DRIVER", ":PATH" or "PATH" (the last two: k8s-file). A path may contain colons. */
static int open_sink(struct context *ctx, const char *text, struct error *err)
{
    const char *colon = strchr(text, ':');
    size_t length = colon ? (size_t)(colon - text) : strlen(text);
    const char *path = colon ? colon + 1 : NULL;

    if (*text == '\0' || (colon == text && *path == '\0'))
        return fail(err, "log-path must not be empty");
    if (ctx->log.count == SINKS_MAX)
        return fail(err, "at most %d log drivers at once", SINKS_MAX);
    if (is_driver(text, length, "none") || is_driver(text, length, "off") || is_driver(text, length, "null"))
        return 0;
    if (is_driver(text, length, "passthrough")) {
        ctx->log.passthrough = true;
        return 0;
    }
    if (is_driver(text, length, "journald"))
        return log_journald_open(ctx, &ctx->log.sinks[ctx->log.count++], err);
    if (is_driver(text, length, "json-file"))
        return open_file_sink(ctx, path, true, err);
    if (is_driver(text, length, "k8s-file") || length == 0)
        return open_file_sink(ctx, path, false, err);
    if (colon == NULL)
        return open_file_sink(ctx, text, false, err);
    return fail(err, "No such log driver %.*s", (int)length, text);
}

static int check_labels(const struct list *labels, struct error *err)
{
    for (int i = 0; i < labels->count; i++) {
        const char *at = labels->items[i];
        if (*at == '=')
            return fail(err, "Container labels must be in format LABEL=VALUE (no LABEL present in '%s')", at);
        if (strchr(at, '=') == NULL)
            return fail(err, "Container labels must be in format LABEL=VALUE (no '=' present in '%s')", at);
        for (; *at != '='; at++)
            if (!isupper((unsigned char)*at) && !isdigit((unsigned char)*at) && *at != '_')
                return fail(err, "Container label names must contain only uppercase letters, numbers and underscore "
                                 "(in '%s')", labels->items[i]);
    }
    return 0;
}

int log_open(struct context *ctx, struct error *err)
{
    struct options *options = &ctx->options;
    bool tagged = options->log_tag != NULL || options->log_labels.count > 0;
    bool can_tag = false;

    if (check_labels(&options->log_labels, err) < 0)
        return -1;
    for (int i = 0; i < options->log_paths.count; i++)
        if (open_sink(ctx, options->log_paths.items[i], err) < 0)
            return -1;
    for (int i = 0; i < ctx->log.count; i++)
        can_tag = can_tag || ctx->log.sinks[i].fields != NULL;
    if (options->no_partial_message && ctx->log.journal_lines == NULL)
        message(ctx, LEVEL_WARN, "--no-container-partial-message has no effect without journald log driver");
    if (tagged && !can_tag && ctx->log.count > 0)
        return fail(err, "k8s-file doesn't support %s", options->log_tag ? "--log-tag" : "--log-label");
    return 0;
}

void log_write(struct context *ctx, int stream, const unsigned char *data, size_t size)
{
    for (int i = 0; i < ctx->log.count; i++)
        ctx->log.sinks[i].write(ctx, &ctx->log.sinks[i], stream, data, size);
}

void log_reopen(struct context *ctx)
{
    for (int i = 0; i < ctx->log.count; i++)
        if (ctx->log.sinks[i].file.path != NULL)
            log_file_rotate(ctx, &ctx->log.sinks[i].file);
}

void log_finish(struct context *ctx)
{
    for (int i = 0; i < ctx->log.count; i++) {
        struct sink *sink = &ctx->log.sinks[i];
        if (sink->finish != NULL)
            sink->finish(ctx, sink);
        if (sink->file.path != NULL && sink->file.regular && !ctx->options.no_sync_log && fsync(sink->file.fd) < 0)
            message(ctx, LEVEL_WARN, "Failed to sync log file before exit: %m");
    }
}

uint64_t log_lost(const struct log *log)
{
    uint64_t lost = 0;

    for (int i = 0; i < log->count; i++)
        lost += log->sinks[i].file.lost;
    return lost;
}
