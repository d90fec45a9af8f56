/* Health checks: when a probe is due, how its result changes the container's health, and which action follows.

   health.c: the states; health_due.c: which check is next, and when; health_config.c: the configuration;
   health_probe.c: one run of a command or a probe; health_file.c: results and events on disk; hooks.c: Kubernetes'
   postStart and preStop, and a stop that runs them. */
#ifndef PODPY_CONMON_HEALTH_H
#define PODPY_CONMON_HEALTH_H

#include <sys/types.h>

#include "loop.h"

#define HEALTH_TIME 36 /* bytes of a time as text, with its NUL */

enum health_status { HEALTH_STARTING, HEALTH_HEALTHY, HEALTH_UNHEALTHY };
enum health_action { HEALTH_NOTHING, HEALTH_KILL, HEALTH_RESTART, HEALTH_STOP };

/* What is run; the checks come first. At most one of all of them runs at a time. */
enum run { RUN_CHECK, RUN_STARTUP, RUN_READINESS, RUN_CHECKS, RUN_POST_START = RUN_CHECKS, RUN_PRE_STOP };

struct check {
    int64_t interval, timeout, initial_delay, retries, successes;
};

/* DIR/config, see health_config.c. Times are milliseconds. */
struct health_config {
    char *result, *log, *readiness_result, *hook_result, *events, *notify; /* paths; NULL: not wanted */
    char *action;
    struct check checks[RUN_CHECKS];
    int64_t startup, readiness, without_check; /* 1: there is one; there is none but those two */
    int64_t startup_stops;                     /* 1: no new start after too many failures of the startup check */
    int64_t post_start, pre_stop;              /* 1: there is this hook */
    int64_t start_period, start_interval;
    int64_t log_count, log_size, log_in_events;
    int64_t stop_signal, stop_timeout;
    int64_t deadline; /* what is left until the pod must end, when this is read; 0: no limit */
    enum health_action on_failure;
};

/* One run. `pid` is the runtime's or the program's; 0: none runs. */
struct probe {
    pid_t pid;
    enum run run;
    struct source output;
    char *text; /* the first bytes of its output */
    size_t size, used;
    bool timed_out;
    bool is_program; /* not a command in the container */
    char started[HEALTH_TIME];
};

/* The newest results as JSON objects, the oldest first. */
struct results {
    char **entries;
    int count;
    size_t size; /* bytes of all of them */
};

struct health {
    struct health_config config;
    bool active;   /* there is a check */
    bool running;  /* the container is running and isn't being stopped */
    bool followed; /* the first configuration has been read */
    bool hooked;   /* postStart has run, or there is none: the checks may begin */
    enum health_status status;
    int failing_streak;
    bool came_up;  /* the startup check has passed, or there is none */
    int startup_successes, startup_failures;
    bool ready;
    int ready_successes, ready_failures;
    int64_t started;         /* now_ms() */
    int64_t due[RUN_CHECKS]; /* now_ms(), for those that run by themselves */
    struct probe probe;
    int answer_fd; /* of `healthcheck run`, which waits for a result; -1: none */
    bool requested;
    bool said_ready;
    struct results checked, readiness, hooks;
    int event_number;
    enum health_action taken; /* the action taken on an unhealthy container: decides on its restart */
    int frozen_fd;            /* cgroup.events of the container */
    int freeze_fd;            /* its cgroup.freeze */
    bool stopping;            /* health_stop() */
    bool pre_stopped;         /* preStop has begun */
    int64_t deadline;         /* of the stop, now_ms(); 0: none */
};

/* The runtime has succeeded: begins, if there is a configuration and the container is running (--runtime-run). */
void health_begin(struct context *ctx);

/* A line of the fifo `ctl`, "3 N 0": N = 0: there is a new configuration; N > 0: run the check now, and write the exit
   code to the fifo DIR/answer.N; N < 0: the container is being stopped, so end the checks. */
void health_control(struct context *ctx, int number);

/* A child has ended; false if it isn't the probe's. */
bool health_reaped(struct context *ctx, pid_t pid, int status);

/* The container has ended: no more probes. */
void health_end(struct context *ctx);

/* For health_probe.c: a check has ended; `code` is its exit code, -1 after a timeout. The first one notes that, and
   returns whether it counts; the second one does what follows, and may start another run. */
bool health_result(struct context *ctx, int code);
void health_go_on(struct context *ctx, enum run run, bool counts);

/* The hook postStart has run well, or there is none: the checks begin. */
void health_begin_checks(struct context *ctx);

/* hooks.c. Ends the container as the kubelet does: the hook preStop, the stop signal, and SIGKILL when `grace`
   milliseconds are over (negative: never), or two seconds after a hook that has used them up. A line of `ctl`, "6 MS 0",
   says so, too: what it begins doesn't need its caller any more. */
void health_stop(struct context *ctx, int64_t grace);
void hook_post_start(struct context *ctx);

/* hooks.c. The deadline is over: the container is stopped, and not started again. */
void health_deadline(struct context *ctx);

/* For health_probe.c, as for checks. */
void hook_result(struct context *ctx, int code);
void hook_go_on(struct context *ctx, enum run run, int code);

/* A stop goes on: with preStop, if that hasn't run yet, or with the signal. */
void health_stop_next(struct context *ctx);

/* health_due.c: sets the timer for what is due first; says when a check is due again after it has run; finds what is to
   run now. */
void health_plan(struct context *ctx, void (*start)(struct context *ctx));
void health_due_again(struct health *health, enum run run);
enum run health_next(const struct health *health);
bool health_can_be_asked(const struct health *health);

/* health_config.c: reads DIR/config; false if there is none. */
bool health_read_config(struct context *ctx, struct health_config *config);
void health_free_config(struct health_config *config);

/* health_probe.c: `timeout` is in milliseconds, 0: none. */
bool probe_start(struct context *ctx, enum run run, int64_t timeout);
void probe_limit(struct context *ctx, int64_t timeout);
void probe_ended(struct context *ctx, int status);
void probe_kill(struct context *ctx);

/* health_file.c: `health_time` writes now as RFC 3339 into HEALTH_TIME bytes. */
void health_time(struct context *ctx, char *to);
void results_add(struct context *ctx, struct results *results, int code);
void results_clear(struct results *results);
void results_write(struct context *ctx, const struct results *results, const char *path, const char *status, int streak);
void results_event(struct context *ctx, const struct results *results, const char *status, int streak);

static inline const char *health_status_name(enum health_status status)
{
    return status == HEALTH_HEALTHY ? "healthy" : status == HEALTH_UNHEALTHY ? "unhealthy" : "starting";
}

#endif
