/* DIR/config of --health-dir: lines "KEY VALUE", written by podpy before the start and by `podpy update`. It is read
   again when podpy sends a control message. Unknown keys are ignored; times are milliseconds. */
#define _GNU_SOURCE
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "context.h"

#define SHORTEST 1000               /* ms, for intervals and timeouts: an image must not keep the host busy */
#define LONGEST (366LL * 86400000)  /* ms */
/* 0 means "unlimited" for both in Podman. But the monitor keeps the results in memory and writes all of them after each
   check, so this is the limit. Their total size has another one: LOG_SIZE_MAX in health_file.c. */
#define ENTRIES_MAX 1000
#define SIZE_MAX_ENTRY 65536

struct key {
    const char *name;
    bool text;
    size_t offset;
};

#define AT(field) offsetof(struct health_config, field)

static const struct key keys[] = {
    {"events", true, AT(events)},
    {"interval", false, AT(interval)},
    {"log", true, AT(log)},
    {"log_count", false, AT(log_count)},
    {"log_in_events", false, AT(log_in_events)},
    {"log_size", false, AT(log_size)},
    {"notify", true, AT(notify)},
    {"on_failure", true, AT(action)},
    {"result", true, AT(result)},
    {"retries", false, AT(retries)},
    {"start_interval", false, AT(start_interval)},
    {"start_period", false, AT(start_period)},
    {"startup", false, AT(startup)},
    {"startup_interval", false, AT(startup_interval)},
    {"startup_retries", false, AT(startup_retries)},
    {"startup_success", false, AT(startup_success)},
    {"startup_timeout", false, AT(startup_timeout)},
    {"stop_signal", false, AT(stop_signal)},
    {"stop_timeout", false, AT(stop_timeout)},
    {"timeout", false, AT(timeout)},
};

static void take(struct health_config *config, const char *name, const char *value)
{
    for (size_t i = 0; i < COUNT(keys); i++) {
        char *field = (char *)config + keys[i].offset;
        if (strcmp(keys[i].name, name) != 0)
            continue;
        if (!keys[i].text) {
            if (!parse_number(value, (int64_t *)field))
                *(int64_t *)field = 0;
        } else {
            free(*(char **)field);
            *(char **)field = strdup(value);
        }
        return;
    }
}

static int64_t between(int64_t value, int64_t least, int64_t most)
{
    return value < least ? least : value > most ? most : value;
}

static int64_t up_to(int64_t value, int64_t most)
{
    return value <= 0 || value > most ? most : value;
}

static enum health_action action_of(const char *name)
{
    if (name != NULL && strcmp(name, "kill") == 0)
        return HEALTH_KILL;
    if (name != NULL && strcmp(name, "restart") == 0)
        return HEALTH_RESTART;
    return name != NULL && strcmp(name, "stop") == 0 ? HEALTH_STOP : HEALTH_NOTHING;
}

/* An interval of 0: only `healthcheck run` checks. */
static void limit(struct health_config *config)
{
    int64_t *intervals[] = {&config->interval, &config->startup_interval, &config->start_interval};

    for (size_t i = 0; i < COUNT(intervals); i++)
        if (*intervals[i] != 0)
            *intervals[i] = between(*intervals[i], SHORTEST, LONGEST);
    config->timeout = between(config->timeout, SHORTEST, LONGEST);
    config->startup_timeout = between(config->startup_timeout, SHORTEST, LONGEST);
    config->start_period = between(config->start_period, 0, LONGEST);
    config->stop_timeout = between(config->stop_timeout, 0, LONGEST);
    config->retries = between(config->retries, 1, INT32_MAX);
    config->log_count = up_to(config->log_count, ENTRIES_MAX);
    config->log_size = up_to(config->log_size, SIZE_MAX_ENTRY);
    config->on_failure = action_of(config->action);
}

void health_free_config(struct health_config *config)
{
    free(config->result);
    free(config->log);
    free(config->events);
    free(config->notify);
    free(config->action);
    *config = (struct health_config){0};
}

bool health_read_config(struct context *ctx, struct health_config *config)
{
    FREE char *path = path_join(ctx->options.health_dir, "config");
    char text[16384];

    *config = (struct health_config){0};
    if (path == NULL || read_file(path, text, sizeof(text)) <= 0)
        return false;
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        char *value = strchr(line, ' ');
        if (value == NULL)
            continue;
        *value++ = '\0';
        take(config, line, value);
    }
    limit(config);
    if (config->result != NULL)
        return true;
    health_free_config(config);
    return false;
}
