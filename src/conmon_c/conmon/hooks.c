/* Kubernetes' hooks: postStart runs right after the start, before the checks; preStop before the stop signal. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>

#include "context.h"

#define EXTENSION_MS 2000 /* the kubelet's, for a container whose hook has used up the grace period */

static void kill_now(struct context *ctx)
{
    process_signal(ctx, SIGKILL);
}

static int64_t left_of(const struct health *health)
{
    int64_t left = health->deadline - now_ms();

    return left > 0 ? left : 0;
}

static void arm(struct context *ctx, int64_t at_least)
{
    struct health *health = &ctx->health;

    if (health->deadline != 0)
        loop_timer(&ctx->loop, TIMER_STOP, left_of(health) > at_least ? left_of(health) : at_least, kill_now);
}

static void send_stop_signal(struct context *ctx)
{
    int64_t number = ctx->health.config.stop_signal;

    process_signal(ctx, number > 0 ? (int)number : SIGTERM);
    arm(ctx, ctx->health.pre_stopped ? EXTENSION_MS : 0);
}

void health_stop_next(struct context *ctx)
{
    struct health *health = &ctx->health;

    if (!health->stopping || ctx->process.container_pid <= 0)
        return;
    if (health->config.pre_stop && !health->pre_stopped) {
        health->pre_stopped = true;
        int64_t left = left_of(health);
        if (probe_start(ctx, RUN_PRE_STOP, health->deadline == 0 ? 0 : left > 0 ? left : 1))
            return;
    }
    send_stop_signal(ctx);
}

/* For a second `stop`, which only brings another deadline. */
static void change_deadline(struct context *ctx)
{
    struct health *health = &ctx->health;

    if (health->probe.pid == 0) {
        loop_timer_stop(&ctx->loop, TIMER_STOP);
        arm(ctx, 0);
    } else if (health->probe.run == RUN_PRE_STOP && health->deadline != 0) {
        probe_limit(ctx, left_of(health));
    }
}

void health_stop(struct context *ctx, int64_t grace)
{
    struct health *health = &ctx->health;

    if (ctx->process.container_pid <= 0)
        return;
    health->running = false;
    health->deadline = grace < 0 ? 0 : now_ms() + grace;
    loop_timer_stop(&ctx->loop, TIMER_HEALTH);
    if (health->stopping) {
        change_deadline(ctx);
        return;
    }
    health->stopping = true;
    if (health->config.pre_stop && health->probe.pid > 0)
        probe_kill(ctx); /* its end starts the hook */
    else
        health_stop_next(ctx);
}

void health_deadline(struct context *ctx)
{
    message(ctx, LEVEL_INFO, "the pod's deadline is over");
    ctx->health.taken = HEALTH_STOP;
    if (ctx->restart.waiting)
        loop_quit(&ctx->loop);
    else if (!process_is_ending(&ctx->process))
        health_stop(ctx, ctx->health.config.stop_timeout);
}

void hook_post_start(struct context *ctx)
{
    ctx->health.hooked = !ctx->health.config.post_start;
    if (!ctx->health.hooked && !probe_start(ctx, RUN_POST_START, 0))
        health_stop(ctx, ctx->health.config.stop_timeout);
}

void hook_result(struct context *ctx, int code)
{
    struct health *health = &ctx->health;
    bool is_post_start = health->probe.run == RUN_POST_START;

    if (process_is_ending(&ctx->process) || (is_post_start && health->stopping))
        return; /* the result means nothing then */
    results_add(ctx, &health->hooks, code);
    if (health->config.hook_result != NULL)
        results_write(ctx, &health->hooks, health->config.hook_result, is_post_start ? "postStart" : "preStop",
                      code != 0);
    if (code != 0)
        results_event(ctx, &health->hooks, is_post_start ? "FailedPostStartHook" : "FailedPreStopHook", 1);
}

void hook_go_on(struct context *ctx, enum run run, int code)
{
    struct health *health = &ctx->health;

    health->hooked = true;
    if (health->stopping)
        health_stop_next(ctx);
    else if (run == RUN_POST_START && code == 0)
        health_begin_checks(ctx);
    else
        health_stop(ctx, health->config.stop_timeout);
}
