/* A health check's files: the results, in Podman's form, and one small file for each change of the state, which podpy
   turns into an event. Written aside and renamed: a reader sees the new file or the old one, never a part. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "context.h"
#include "json.h"

#define LOG_SIZE_MAX (1 << 20) /* bytes of all results: they are kept in memory, and written after each check */
#define EVENTS_KEPT 100        /* per container, until a podpy call takes them over */

void health_time(struct context *ctx, char *to)
{
    log_time_local(&ctx->log, to);
    to[LOCAL_TIME_SIZE] = '\0';
    if (strcmp(to + UTC_TIME_SIZE - 1, "+00:00") == 0)
        strcpy(to + UTC_TIME_SIZE - 1, "Z"); /* Go's form */
}

static void drop_oldest(struct results *results)
{
    results->size -= strlen(results->entries[0]);
    free(results->entries[0]);
    memmove(results->entries, results->entries + 1, (size_t)--results->count * sizeof(char *));
}

void results_clear(struct results *results)
{
    while (results->count > 0)
        drop_oldest(results);
}

void results_add(struct context *ctx, struct results *results, int code)
{
    const struct health_config *config = &ctx->health.config;
    const struct probe *probe = &ctx->health.probe;
    char ended[HEALTH_TIME] = "";
    size_t size = 2 * HEALTH_TIME + 96 + JSON_ROOM(probe->used);
    char *entry = malloc(size);
    char **entries = realloc(results->entries, ((size_t)results->count + 1) * sizeof(char *));

    if (entries != NULL)
        results->entries = entries;
    if (entry == NULL || entries == NULL) {
        free(entry);
        return;
    }
    health_time(ctx, ended);
    char *to = entry + sprintf(entry, "{\"Start\":\"%s\",\"End\":\"%s\",\"ExitCode\":%d,\"Output\":\"", probe->started,
                               ended, code);
    stpcpy(json_escape(to, (const unsigned char *)probe->text, probe->used), "\"}");
    size = strlen(entry);
    while (results->count > 0 && (results->count >= config->log_count || results->size + size > LOG_SIZE_MAX))
        drop_oldest(results);
    results->entries[results->count++] = entry;
    results->size += size;
}

/* {"Status":…,"FailingStreak":…,"Log":[…]}: `podpy ps` reads only its beginning. */
static char *result_text(const struct results *results, const char *status, int streak)
{
    size_t size = 96;

    for (int i = 0; i < results->count; i++)
        size += strlen(results->entries[i]) + 1;
    char *text = malloc(size);
    if (text == NULL)
        return NULL;
    char *to = text + sprintf(text, "{\"Status\":\"%s\",\"FailingStreak\":%d,\"Log\":", status, streak);
    for (int i = 0; i < results->count; i++) {
        *to++ = i == 0 ? '[' : ',';
        to = stpcpy(to, results->entries[i]);
    }
    stpcpy(to, results->count > 0 ? "]}\n" : "null}\n");
    return text;
}

void results_write(struct context *ctx, const struct results *results, const char *path, const char *status, int streak)
{
    FREE char *text = path ? result_text(results, status, streak) : NULL;
    struct error err;

    if (text != NULL && replace_file(path, text, false, &err) < 0)
        message(ctx, LEVEL_WARN, "health check: %s", err.text);
}

void results_event(struct context *ctx, const struct results *results, const char *status, int streak)
{
    struct health *health = &ctx->health;
    const char *log = health->config.log_in_events && results->count > 0 ? results->entries[results->count - 1] : "null";
    FREE char *path = NULL;
    FREE char *text = NULL;
    struct timespec now;
    struct error err;

    if (health->config.events == NULL)
        return;
    clock_gettime(CLOCK_REALTIME, &now);
    if (asprintf(&path, "%s/%s.%d.%d", health->config.events, ctx->options.cid, (int)getpid(),
                 health->event_number) < 0 ||
        asprintf(&text, "{\"time\":%lld%09ld,\"status\":\"%s\",\"streak\":%d,\"log\":%s}\n", (long long)now.tv_sec,
                 now.tv_nsec, status, streak, log) < 0)
        return;
    health->event_number = (health->event_number + 1) % EVENTS_KEPT;
    if (replace_file(path, text, false, &err) < 0)
        message(ctx, LEVEL_WARN, "health check: %s", err.text);
}
