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

static bool says(int fd, const char *what)
{
    char text[64];
    ssize_t n = fd < 0 ? 0 : pread(fd, text, sizeof(text) - 1, 0);

    if (n <= 0)
        return false;
    text[n] = '\0';
    return strstr(text, what) != NULL;
}

/*
 * A command in a frozen container never answers. cgroup.events tells of a cgroup above, too; but not before all
 * processes are frozen, nor while one of them dies. cgroup.freeze is what was asked for.
 */
static bool is_frozen(const struct health *health)
{
    return says(health->freeze_fd, "1") || says(health->frozen_fd, "frozen 1");
}

static void start_probe(struct context *ctx)
{
    struct health *health = &ctx->health;
    enum run run = health_next(health);

    if (!health->active || !health->running || !health->hooked || health->probe.pid > 0 || run == RUN_CHECKS)
        return;
    health->requested = false;
    if (!is_frozen(health) && probe_start(ctx, run, health->config.checks[run].timeout))
        return;
    close_fd(&health->answer_fd);
    health_due_again(health, run);
    health_plan(ctx, start_probe);
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

/* Once: afterwards the container is ending. */
static void act(struct context *ctx, enum health_action action)
{
    struct health *health = &ctx->health;

    if (action == HEALTH_NOTHING || health->taken != HEALTH_NOTHING)
        return;
    message(ctx, LEVEL_INFO, "unhealthy: action %d", (int)action);
    health->taken = action;
    if (action == HEALTH_KILL)
        process_signal(ctx, SIGKILL);
    else
        health_stop(ctx, health->config.stop_timeout);
}

/* The startup check gates the others; its failures don't count for them. */
static void startup_result(struct health *health, bool good)
{
    if (!good) {
        health->startup_successes = 0;
        health->startup_failures += health->startup_failures < INT32_MAX;
        return;
    }
    health->startup_successes++;
    if (health->startup_successes < health->config.checks[RUN_STARTUP].successes)
        return;
    health->came_up = true;
    health->status = HEALTH_HEALTHY;
    health->failing_streak = 0;
}

static void regular_result(struct health *health, bool good)
{
    if (good) {
        health->status = HEALTH_HEALTHY;
        health->failing_streak = 0;
    } else if (now_ms() >= health->started + health->config.start_period) {
        health->failing_streak += health->failing_streak < INT32_MAX;
        if (health->failing_streak >= health->config.checks[RUN_CHECK].retries)
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

/* Nothing follows from it: it is only shown. */
static void readiness_result(struct context *ctx, int code)
{
    struct health *health = &ctx->health;
    const struct check *check = &health->config.checks[RUN_READINESS];
    bool before = health->ready;

    health->ready_successes = code != 0 ? 0 : health->ready_successes + (health->ready_successes < INT32_MAX);
    health->ready_failures = code == 0 ? 0 : health->ready_failures + (health->ready_failures < INT32_MAX);
    if (health->ready_successes >= (check->successes > 0 ? check->successes : 1))
        health->ready = true;
    else if (health->ready_failures >= check->retries)
        health->ready = false;
    const char *status = health->ready ? "ready" : "unready";
    results_add(ctx, &health->readiness, code);
    results_write(ctx, &health->readiness, health->config.readiness_result, status, health->ready_failures);
    if (health->ready != before)
        results_event(ctx, &health->readiness, status, health->ready_failures);
}

static void health_changed(struct context *ctx, int code)
{
    struct health *health = &ctx->health;
    enum health_status before = health->status;

    if (health->probe.run == RUN_STARTUP)
        startup_result(health, code == 0);
    else
        regular_result(health, code == 0);
    const char *status = health_status_name(health->status);
    results_add(ctx, &health->checked, code);
    results_write(ctx, &health->checked, health->config.result, status, health->failing_streak);
    results_write(ctx, &health->checked, health->config.log, status, health->failing_streak);
    if (health->status != before)
        results_event(ctx, &health->checked, status, health->failing_streak);
}

bool health_result(struct context *ctx, int code)
{
    bool is_counted = counts(ctx, code);

    if (is_counted && ctx->health.probe.run == RUN_READINESS)
        readiness_result(ctx, code);
    else if (is_counted)
        health_changed(ctx, code);
    answer(ctx, code);
    return is_counted;
}

static bool has_not_come_up(const struct health *health)
{
    int64_t retries = health->config.checks[RUN_STARTUP].retries;

    return !health->came_up && retries > 0 && health->startup_failures >= retries;
}

/* If it was the last one, callers that came while it ran get no result. */
void health_go_on(struct context *ctx, enum run run, bool counts)
{
    struct health *health = &ctx->health;
    bool was_stopping = health->stopping;

    health_due_again(health, run);
    if (counts && health->status == HEALTH_HEALTHY)
        say_ready(ctx);
    if (counts && has_not_come_up(health))
        act(ctx, health->config.startup_stops ? HEALTH_STOP : HEALTH_RESTART);
    else if (counts && health->status == HEALTH_UNHEALTHY)
        act(ctx, health->config.on_failure);
    if (health->active && health->running) {
        health_plan(ctx, start_probe);
        return;
    }
    health->requested = false;
    close_fd(&health->answer_fd);
    if (was_stopping) /* else `act` has begun the stop, and the signal comes after its hook */
        health_stop_next(ctx);
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
    FREE char *path = NULL, *asked = NULL;

    if (ctx->health.frozen_fd >= 0 || !cgroup_find(ctx->process.container_pid, "", cgroup, sizeof(cgroup)))
        return;
    path = path_join(cgroup, "cgroup.events");
    ctx->health.frozen_fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    asked = path_join(cgroup, "cgroup.freeze");
    ctx->health.freeze_fd = asked ? open(asked, O_RDONLY | O_CLOEXEC) : -1;
}

/* Results of another check from before don't count. */
static void begin_anew(struct health *health)
{
    health->came_up = !health->config.startup;
    health->status = HEALTH_STARTING;
    health->ready = false;
    health->failing_streak = health->startup_successes = health->startup_failures = 0;
    health->ready_successes = health->ready_failures = 0;
    results_clear(&health->checked);
    results_clear(&health->readiness);
    for (enum run run = 0; run < RUN_CHECKS; run++)
        health->due[run] = health->started + health->config.checks[run].initial_delay;
}

void health_begin_checks(struct context *ctx)
{
    struct health *health = &ctx->health;

    if (!health->active)
        return;
    open_frozen(ctx);
    begin_anew(health);
    health_plan(ctx, start_probe);
}

/* There is a first configuration, or a changed one. */
static void follow(struct context *ctx)
{
    struct health *health = &ctx->health;
    bool was_active = health->active;

    health_free_config(&health->config);
    health->active = health_read_config(ctx, &health->config) && health->config.result != NULL;
    loop_timer_stop(&ctx->loop, TIMER_HEALTH);
    loop_timer_stop(&ctx->loop, TIMER_DEADLINE);
    if (health->config.deadline > 0)
        loop_timer(&ctx->loop, TIMER_DEADLINE, health->config.deadline, health_deadline);
    if (!was_active)
        health->started = now_ms();
    if (!health->followed) {
        health->followed = true;
        hook_post_start(ctx);
    }
    if (!health->active || !health->hooked)
        return;
    if (!was_active) {
        health_begin_checks(ctx);
        return;
    }
    if (!health->config.startup)
        health->came_up = true;
    for (enum run run = 0; run < RUN_CHECKS; run++)
        health_due_again(health, run);
    if (health->probe.pid == 0)
        health_plan(ctx, start_probe);
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
    if (!ctx->health.active || !ctx->health.running || !ctx->health.hooked || ctx->health.answer_fd < 0 ||
        !health_can_be_asked(&ctx->health)) {
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
