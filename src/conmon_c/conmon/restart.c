#define _GNU_SOURCE
#include "restart.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "context.h"

/* After a run of `ran_well` the first delay counts again. Else it is twice the last one, between the two limits. */
struct backoff {
    int64_t ran_well, least, longest; /* milliseconds */
};

static const struct backoff docker = {10000, 2, 60000};
static const struct backoff kubernetes = {600000, 10000, 300000};

static const struct backoff *backoff(const struct context *ctx)
{
    return ctx->options.restart_backoff != NULL ? &kubernetes : &docker;
}

static void write_file(struct context *ctx, const char *why)
{
    FREE char *path = ctx->options.persist_dir ? path_join(ctx->options.persist_dir, "restart") : NULL;
    struct error err;
    char text[48];

    if (path == NULL)
        return;
    snprintf(text, sizeof(text), "%lld %s\n", (long long)ctx->restart.delay, why);
    if (replace_file(path, text, false, &err) < 0)
        message(ctx, LEVEL_WARN, "restart: %s", err.text);
}

static bool policy_wants(const struct context *ctx)
{
    const char *policy = ctx->options.restart;

    if (policy == NULL || ctx->end.failed)
        return false;
    return strcmp(policy, "always") == 0 ||
           (strcmp(policy, "on-failure") == 0 && process_exit_code(&ctx->process) != 0);
}

static const char *reason(const struct context *ctx)
{
    if (ctx->restart.leaving || ctx->health.taken == HEALTH_STOP)
        return "stop";
    return ctx->health.taken == HEALTH_RESTART ? "health" : "policy";
}

void restart_signal(struct context *ctx, int number)
{
    if (number == SIGTERM || number == SIGINT || number == SIGQUIT || number == SIGABRT)
        ctx->restart.leaving = true;
}

void restart_decide(struct context *ctx)
{
    struct restart *restart = &ctx->restart;
    enum health_action taken = ctx->health.taken;
    bool ran_well = now_ms() - ctx->health.started >= backoff(ctx)->ran_well;

    if (ctx->options.restart == NULL || ctx->end.failed || restart->forbidden)
        return;
    restart->wanted = !restart->leaving && (taken == HEALTH_RESTART || (taken != HEALTH_STOP && policy_wants(ctx)));
    if (restart->wanted)
        restart->delay = ran_well ? RESTART_DELAY_MS : ctx->options.restart_delay;
    if (restart->wanted || restart->leaving || taken == HEALTH_STOP)
        write_file(ctx, reason(ctx));
}

void restart_control(struct context *ctx, int number)
{
    static char *const names[] = {"no", "on-failure", "always"};

    if (ctx->options.restart != NULL && number >= 0 && number < (int)COUNT(names))
        ctx->options.restart = names[number];
}

static void due(struct context *ctx)
{
    ctx->restart.due = true;
    loop_quit(&ctx->loop);
}

void restart_wait(struct context *ctx)
{
    struct restart *restart = &ctx->restart;
    struct error err;

    if (!restart->wanted || ctx->waiters.acknowledged)
        return;
    if (ctx->health.taken != HEALTH_STOP) { /* else the deadline was over between the end and now */
        restart->waiting = true;
        loop_timer(&ctx->loop, TIMER_RESTART, restart->delay, due);
        if (loop_run(ctx, &err) < 0)
            message(ctx, LEVEL_ERROR, "%s", err.text);
        restart->waiting = false;
    }
    if (restart->due)
        return;
    restart->delay = 0;
    write_file(ctx, "stop");
}

bool restart_again(struct context *ctx, int status)
{
    struct restart *restart = &ctx->restart;
    bool failed = WIFEXITED(status) && WEXITSTATUS(status) == RESTART_AGAIN;
    bool killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL; /* as by the kernel when memory is short */

    if (!restart->due || !(failed || killed))
        return false;
    restart->due = false;
    restart->delay *= 2;
    if (restart->delay < backoff(ctx)->least)
        restart->delay = backoff(ctx)->least;
    if (restart->delay > backoff(ctx)->longest)
        restart->delay = backoff(ctx)->longest;
    write_file(ctx, reason(ctx)); /* the start that failed has taken it away */
    return true;
}
