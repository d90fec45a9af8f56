/* The states of a health check.

   starting    until a check succeeds; failures count when the start period is over and the startup check has passed
   healthy     a check has succeeded
   unhealthy   N checks in a row have failed; then the action is taken once */
#define _GNU_SOURCE
#include "health.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cgroup.h"
#include "context.h"

static void start_probe(struct context *ctx);

static bool in_start_period(const struct health *health)
{
    return now_ms() < health->started + health->config.start_period;
}

/* Counted from the end of the last check, so that there are pauses between slow checks, too. */
static void schedule(struct context *ctx, int64_t milliseconds)
{
    loop_timer(&ctx->loop, TIMER_HEALTH, milliseconds, start_probe);
}

static void schedule_next(struct context *ctx)
{
    const struct health *health = &ctx->health;
    int64_t interval = health->came_up ? health->config.interval : health->config.startup_interval;

    if (health->came_up && health->status == HEALTH_STARTING && health->config.start_interval > 0 &&
        in_start_period(health))
        interval = health->config.start_interval;
    loop_timer_stop(&ctx->loop, TIMER_HEALTH);
    if (health->requested)
        schedule(ctx, 0);
    else if (interval > 0)
        schedule(ctx, interval);
}

/* A command in a frozen container never answers. */
static bool is_frozen(const struct health *health)
{
    char text[64];
    ssize_t n = health->frozen_fd < 0 ? 0 : pread(health->frozen_fd, text, sizeof(text) - 1, 0);

    if (n <= 0)
        return false;
    text[n] = '\0';
    return strstr(text, "frozen 1") != NULL;
}

static void start_probe(struct context *ctx)
{
    struct health *health = &ctx->health;

    if (!health->active || !health->running || health->probe.pid > 0)
        return;
    health->requested = false;
    if (!is_frozen(health) && probe_start(ctx, !health->came_up))
        return;
    close_fd(&health->answer_fd);
    schedule_next(ctx);
}

static void answer(struct context *ctx, int code)
{
    char text[16];
    int n = snprintf(text, sizeof(text), "%d\n", code);

    if (ctx->health.requested)
        return; /* a caller that came while this check ran gets the next result */
    if (ctx->health.answer_fd >= 0 && write(ctx->health.answer_fd, text, (size_t)n) < 0)
        message(ctx, LEVEL_INFO, "health check: nobody waits for the result: %m");
    close_fd(&ctx->health.answer_fd);
}

/* The service manager's socket, from podpy's environment; "@" begins an abstract one. */
static void say_ready(struct context *ctx)
{
    static const char ready[] = "READY=1";
    const char *path = ctx->health.config.notify;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    CLOSE_FD int fd = -1;

    if (path == NULL || ctx->health.said_ready || strlen(path) >= sizeof(address.sun_path))
        return;
    ctx->health.said_ready = true;
    fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    memcpy(address.sun_path, path, strlen(path) + 1);
    socklen_t size = sizeof(address);
    if (*path == '@') {
        address.sun_path[0] = '\0';
        size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
    }
    if (fd < 0 || sendto(fd, ready, strlen(ready), MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&address, size) < 0)
        message(ctx, LEVEL_WARN, "READY=1 to the notify socket: %m");
}

static void stop_by_force(struct context *ctx)
{
    process_signal(ctx, SIGKILL);
}

/* Once: afterwards the container is ending. */
static void act(struct context *ctx, enum health_action action)
{
    struct health *health = &ctx->health;

    if (action == HEALTH_NOTHING || health->taken != HEALTH_NOTHING)
        return;
    message(ctx, LEVEL_INFO, "unhealthy: action %d", (int)action);
    health->taken = action;
    if (action == HEALTH_KILL) {
        process_signal(ctx, SIGKILL);
        return;
    }
    health->running = false;
    process_signal(ctx, health->config.stop_signal > 0 ? (int)health->config.stop_signal : SIGTERM);
    loop_timer(&ctx->loop, TIMER_HEALTH, health->config.stop_timeout, stop_by_force);
}

/* The startup check gates the others; its failures don't count for them. */
static void startup_result(struct context *ctx, bool good)
{
    struct health *health = &ctx->health;

    if (!good) {
        health->startup_successes = 0;
        health->startup_failures++;
        if (health->config.startup_retries > 0 && health->startup_failures >= health->config.startup_retries)
            act(ctx, HEALTH_RESTART);
        return;
    }
    health->startup_successes++;
    if (health->startup_successes < health->config.startup_success)
        return;
    health->came_up = true;
    health->status = HEALTH_HEALTHY;
    health->failing_streak = 0;
}

static void regular_result(struct context *ctx, bool good)
{
    struct health *health = &ctx->health;

    if (good) {
        health->status = HEALTH_HEALTHY;
        health->failing_streak = 0;
    } else if (!in_start_period(health)) {
        health->failing_streak += health->failing_streak < INT32_MAX;
        if (health->failing_streak >= health->config.retries)
            health->status = HEALTH_UNHEALTHY;
    }
}

/* A check fails if the container is ending, and hangs if it was frozen meanwhile: both say nothing about its health. */
static bool counts(struct context *ctx, int code)
{
    struct health *health = &ctx->health;

    return health->active &&
           (code == 0 || (health->running && !process_is_ending(&ctx->process) && !is_frozen(health)));
}

/* After a check. If it was the last one, callers that came while it ran get no result. */
static void go_on(struct context *ctx)
{
    struct health *health = &ctx->health;

    if (health->active && health->running) {
        schedule_next(ctx);
        return;
    }
    health->requested = false;
    close_fd(&health->answer_fd);
}

void health_result(struct context *ctx, int code)
{
    struct health *health = &ctx->health;
    enum health_status before = health->status;
    bool came_up = health->came_up;

    if (!counts(ctx, code)) {
        answer(ctx, code);
        go_on(ctx);
        return;
    }
    if (health->probe.startup)
        startup_result(ctx, code == 0);
    else
        regular_result(ctx, code == 0);
    health_add_entry(ctx, code);
    health_write_result(ctx);
    if (health->status != before)
        health_write_event(ctx);
    answer(ctx, code);
    if (health->status == HEALTH_HEALTHY)
        say_ready(ctx);
    if (health->status == HEALTH_UNHEALTHY)
        act(ctx, health->config.on_failure);
    go_on(ctx);
    if (health->running && health->came_up && !came_up && health->config.interval > 0)
        schedule(ctx, 0); /* now the real check, which the startup check gated */
}

bool health_reaped(struct context *ctx, pid_t pid, int status)
{
    if (pid <= 0 || pid != ctx->health.probe.pid)
        return false;
    probe_ended(ctx, status);
    return true;
}

static void open_frozen(struct context *ctx)
{
    char cgroup[4096];
    FREE char *path = NULL;

    if (ctx->health.frozen_fd >= 0 || !cgroup_find(ctx->process.container_pid, "", cgroup, sizeof(cgroup)))
        return;
    path = path_join(cgroup, "cgroup.events");
    ctx->health.frozen_fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
}

/* Results of another check from before don't count. */
static void begin_anew(struct health *health)
{
    health->started = now_ms();
    health->came_up = !health->config.startup;
    health->status = HEALTH_STARTING;
    health->failing_streak = health->startup_successes = health->startup_failures = 0;
    while (health->entry_count > 0)
        free(health->entries[--health->entry_count]);
    health->entries_size = 0;
}

/* There is a first configuration, or a changed one. */
static void follow(struct context *ctx)
{
    struct health *health = &ctx->health;
    bool was_active = health->active;

    health_free_config(&health->config);
    health->active = health_read_config(ctx, &health->config);
    loop_timer_stop(&ctx->loop, TIMER_HEALTH);
    if (!health->active)
        return;
    if (!health->config.startup)
        health->came_up = true;
    open_frozen(ctx);
    if (!was_active) {
        begin_anew(health);
        if ((health->came_up ? health->config.interval : health->config.startup_interval) > 0)
            schedule(ctx, 0);
    } else if (health->probe.pid == 0) {
        schedule_next(ctx);
    }
}

void health_begin(struct context *ctx)
{
    ctx->health.running = true;
    ctx->health.started = now_ms();
    /* After the runtime's `create` nothing is running yet: podpy reports the start. */
    if (ctx->options.health_dir != NULL && ctx->options.runtime_run)
        follow(ctx);
}

static void run_now(struct context *ctx, int number)
{
    char name[32];
    FREE char *path = NULL;

    snprintf(name, sizeof(name), "answer.%d", number);
    path = path_join(ctx->options.health_dir, name);
    close_fd(&ctx->health.answer_fd);
    ctx->health.answer_fd = path ? open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW) : -1;
    if (!ctx->health.active || !ctx->health.running || ctx->health.answer_fd < 0) {
        close_fd(&ctx->health.answer_fd);
        return;
    }
    ctx->health.requested = true;
    start_probe(ctx);
}

void health_control(struct context *ctx, int number)
{
    if (ctx->options.health_dir == NULL)
        return;
    if (number > 0) {
        run_now(ctx, number);
    } else if (ctx->process.container_pid <= 0 || ctx->health.taken != HEALTH_NOTHING) {
        return; /* it is already ending */
    } else if (number == 0) {
        follow(ctx);
    } else {
        ctx->health.running = false;
        loop_timer_stop(&ctx->loop, TIMER_HEALTH);
    }
}

void health_end(struct context *ctx)
{
    ctx->health.active = false;
    ctx->health.running = false;
    probe_kill(ctx);
    close_fd(&ctx->health.answer_fd);
}
