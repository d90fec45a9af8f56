/* Which check is due next. An interval begins at the end of the last run, so slow checks have pauses, too. */
#include "context.h"

static bool in_start_period(const struct health *health)
{
    return now_ms() < health->started + health->config.start_period;
}

/* The startup check gates the others. */
static bool is_on(const struct health *health, enum run run)
{
    const struct health_config *config = &health->config;

    if (run == RUN_STARTUP)
        return !health->came_up;
    return health->came_up && (run == RUN_CHECK ? config->without_check == 0 : config->readiness != 0);
}

void health_due_again(struct health *health, enum run run)
{
    int64_t interval = health->config.checks[run].interval;

    if (run == RUN_CHECK && health->status == HEALTH_STARTING && health->config.start_interval > 0 &&
        in_start_period(health))
        interval = health->config.start_interval;
    health->due[run] = now_ms() + interval;
}

/* The next of the checks that run by themselves; RUN_CHECKS if there is none. */
static enum run first_due(const struct health *health)
{
    enum run first = RUN_CHECKS;

    for (enum run run = 0; run < RUN_CHECKS; run++)
        if (is_on(health, run) && health->config.checks[run].interval > 0 &&
            (first == RUN_CHECKS || health->due[run] < health->due[first]))
            first = run;
    return first;
}

static enum run asked(const struct health *health)
{
    return !health->came_up ? RUN_STARTUP : is_on(health, RUN_CHECK) ? RUN_CHECK : RUN_READINESS;
}

bool health_can_be_asked(const struct health *health)
{
    return is_on(health, asked(health));
}

enum run health_next(const struct health *health)
{
    return health->requested ? asked(health) : first_due(health);
}

void health_plan(struct context *ctx, void (*start)(struct context *ctx))
{
    struct health *health = &ctx->health;
    enum run next = health_next(health);

    loop_timer_stop(&ctx->loop, TIMER_HEALTH);
    if (next == RUN_CHECKS)
        return;
    int64_t wait = health->requested ? 0 : health->due[next] - now_ms();
    loop_timer(&ctx->loop, TIMER_HEALTH, wait > 0 ? wait : 0, start);
}
