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

#define OF_CHECK(prefix, run) \
    {prefix "initial_delay", false, AT(checks[run].initial_delay)}, {prefix "interval", false, AT(checks[run].interval)}, \
    {prefix "retries", false, AT(checks[run].retries)}, {prefix "success", false, AT(checks[run].successes)}, \
    {prefix "timeout", false, AT(checks[run].timeout)}

static const struct key keys[] = {
    OF_CHECK("", RUN_CHECK),
    OF_CHECK("readiness_", RUN_READINESS),
    OF_CHECK("startup_", RUN_STARTUP),
    {"deadline", false, AT(deadline)},
    {"events", true, AT(events)},
    {"hook_result", true, AT(hook_result)},
    {"log", true, AT(log)},
    {"log_count", false, AT(log_count)},
    {"log_in_events", false, AT(log_in_events)},
    {"log_size", false, AT(log_size)},
    {"notify", true, AT(notify)},
    {"on_failure", true, AT(action)},
    {"post_start", false, AT(post_start)},
    {"pre_stop", false, AT(pre_stop)},
    {"readiness", false, AT(readiness)},
    {"readiness_result", true, AT(readiness_result)},
    {"result", true, AT(result)},
    {"start_interval", false, AT(start_interval)},
    {"start_period", false, AT(start_period)},
    {"startup", false, AT(startup)},
    {"startup_stops", false, AT(startup_stops)},
    {"stop_signal", false, AT(stop_signal)},
    {"stop_timeout", false, AT(stop_timeout)},
    {"without_check", false, AT(without_check)},
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

/* An interval of 0: only `healthcheck run` checks. Of a startup check's failures none may be too many (0). */
static void limit_check(struct check *check, enum run run)
{
    if (check->interval != 0)
        check->interval = between(check->interval, SHORTEST, LONGEST);
    check->timeout = between(check->timeout, SHORTEST, LONGEST);
    check->initial_delay = between(check->initial_delay, 0, LONGEST);
    check->retries = between(check->retries, run == RUN_STARTUP ? 0 : 1, INT32_MAX);
}

static void limit(struct health_config *config)
{
    for (enum run run = 0; run < RUN_CHECKS; run++)
        limit_check(&config->checks[run], run);
    if (config->start_interval != 0)
        config->start_interval = between(config->start_interval, SHORTEST, LONGEST);
    config->start_period = between(config->start_period, 0, LONGEST);
    config->deadline = between(config->deadline, 0, LONGEST);
    config->stop_timeout = between(config->stop_timeout, 0, LONGEST);
    config->log_count = up_to(config->log_count, ENTRIES_MAX);
    config->log_size = up_to(config->log_size, SIZE_MAX_ENTRY);
    config->on_failure = action_of(config->action);
}

void health_free_config(struct health_config *config)
{
    for (size_t i = 0; i < COUNT(keys); i++)
        if (keys[i].text)
            free(*(char **)((char *)config + keys[i].offset));
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
    return true;
}
