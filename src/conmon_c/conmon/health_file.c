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

static void drop_oldest(struct health *health)
{
    health->entries_size -= strlen(health->entries[0]);
    free(health->entries[0]);
    memmove(health->entries, health->entries + 1, (size_t)--health->entry_count * sizeof(char *));
}

void health_add_entry(struct context *ctx, int code)
{
    struct health *health = &ctx->health;
    struct probe *probe = &health->probe;
    char ended[HEALTH_TIME] = "";
    size_t size = 2 * HEALTH_TIME + 96 + JSON_ROOM(probe->used);
    char *entry = malloc(size);
    char **entries = realloc(health->entries, ((size_t)health->entry_count + 1) * sizeof(char *));

    if (entries != NULL)
        health->entries = entries;
    if (entry == NULL || entries == NULL) {
        free(entry);
        return;
    }
    health_time(ctx, ended);
    char *to = entry + sprintf(entry, "{\"Start\":\"%s\",\"End\":\"%s\",\"ExitCode\":%d,\"Output\":\"", probe->started,
                               ended, code);
    stpcpy(json_escape(to, (const unsigned char *)probe->text, probe->used), "\"}");
    size = strlen(entry);
    while (health->entry_count > 0 &&
           (health->entry_count >= health->config.log_count || health->entries_size + size > LOG_SIZE_MAX))
        drop_oldest(health);
    health->entries[health->entry_count++] = entry;
    health->entries_size += size;
}

/* {"Status":…,"FailingStreak":…,"Log":[…]}: `podpy ps` reads only its beginning. */
static char *result_text(const struct health *health)
{
    size_t size = 96;

    for (int i = 0; i < health->entry_count; i++)
        size += strlen(health->entries[i]) + 1;
    char *text = malloc(size);
    if (text == NULL)
        return NULL;
    char *to = text + sprintf(text, "{\"Status\":\"%s\",\"FailingStreak\":%d,\"Log\":",
                              health_status_name(health->status), health->failing_streak);
    for (int i = 0; i < health->entry_count; i++) {
        *to++ = i == 0 ? '[' : ',';
        to = stpcpy(to, health->entries[i]);
    }
    stpcpy(to, health->entry_count > 0 ? "]}\n" : "null}\n");
    return text;
}

void health_write_result(struct context *ctx)
{
    struct health *health = &ctx->health;
    FREE char *text = result_text(health);
    struct error err;

    if (text == NULL)
        return;
    if (replace_file(health->config.result, text, false, &err) < 0)
        message(ctx, LEVEL_WARN, "health check: %s", err.text);
    if (health->config.log != NULL && replace_file(health->config.log, text, false, &err) < 0)
        message(ctx, LEVEL_WARN, "health check: %s", err.text);
}

void health_write_event(struct context *ctx)
{
    struct health *health = &ctx->health;
    const char *log = health->config.log_in_events && health->entry_count > 0
                          ? health->entries[health->entry_count - 1] : "null";
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
                 now.tv_nsec, health_status_name(health->status), health->failing_streak, log) < 0)
        return;
    health->event_number = (health->event_number + 1) % EVENTS_KEPT;
    if (replace_file(path, text, false, &err) < 0)
        message(ctx, LEVEL_WARN, "health check: %s", err.text);
}
