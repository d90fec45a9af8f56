/* Health checks: when a probe is due, how its result changes the container's health, and which action follows.

   health.c: the states; health_config.c: the configuration; health_probe.c: one run of the command; health_file.c:
   results and events on disk. */
#ifndef PODPY_CONMON_HEALTH_H
#define PODPY_CONMON_HEALTH_H

#include <sys/types.h>

#include "loop.h"

#define HEALTH_TIME 36 /* bytes of a time as text, with its NUL */

enum health_status { HEALTH_STARTING, HEALTH_HEALTHY, HEALTH_UNHEALTHY };
enum health_action { HEALTH_NOTHING, HEALTH_KILL, HEALTH_RESTART, HEALTH_STOP };

/* DIR/config, see health_config.c. Times are milliseconds. */
struct health_config {
    char *result, *log, *events, *notify; /* paths; NULL: not wanted */
    char *action;
    int64_t interval, timeout, retries, start_period, start_interval;
    int64_t startup, startup_interval, startup_timeout, startup_retries, startup_success;
    int64_t log_count, log_size, log_in_events;
    int64_t stop_signal, stop_timeout;
    enum health_action on_failure;
};

/* One run of the command. `pid` is the runtime's; 0: none runs. */
struct probe {
    pid_t pid;
    struct source output;
    char *text; /* the first bytes of its output */
    size_t size, used;
    bool startup, timed_out;
    char started[HEALTH_TIME];
};

struct health {
    struct health_config config;
    bool active;   /* there is a configuration */
    bool running;  /* the container is running and isn't being stopped */
    enum health_status status;
    int failing_streak;
    bool came_up;  /* the startup check has passed, or there is none */
    int startup_successes, startup_failures;
    int64_t started; /* now_ms() */
    struct probe probe;
    int answer_fd; /* of `healthcheck run`, which waits for a result; -1: none */
    bool requested;
    bool said_ready;
    char **entries; /* the newest results as JSON objects, the oldest first */
    int entry_count;
    size_t entries_size; /* bytes of all of them */
    int event_number;
    enum health_action taken; /* the action taken on an unhealthy container: decides on its restart */
    int frozen_fd;            /* cgroup.events of the container */
};

/* The runtime has succeeded: begins, if there is a configuration and the container is running (--runtime-run). */
void health_begin(struct context *ctx);

/* A line of the fifo `ctl`, "3 N 0": N = 0: there is a new configuration; N > 0: run the check now, and write the exit
   code to the fifo DIR/answer.N; N < 0: the container is being stopped, so end the checks. */
void health_control(struct context *ctx, int number);

/* A child has ended; false if it isn't the probe's. The result is taken by health_settle(). */
bool health_reaped(struct context *ctx, pid_t pid, int status);

/* The container has ended: no more probes. */
void health_end(struct context *ctx);

/* For health_probe.c: a probe has ended; `code` is its exit code, -1 after a timeout. */
void health_result(struct context *ctx, int code);

/* health_config.c: reads DIR/config; false if there is none, or it is unusable. */
bool health_read_config(struct context *ctx, struct health_config *config);
void health_free_config(struct health_config *config);

/* health_probe.c */
bool probe_start(struct context *ctx, bool startup);
void probe_ended(struct context *ctx, int status);
void probe_kill(struct context *ctx);

/* health_file.c: `health_time` writes now as RFC 3339 into HEALTH_TIME bytes. */
void health_time(struct context *ctx, char *to);
void health_add_entry(struct context *ctx, int code);
void health_write_result(struct context *ctx);
void health_write_event(struct context *ctx);

static inline const char *health_status_name(enum health_status status)
{
    return status == HEALTH_HEALTHY ? "healthy" : status == HEALTH_UNHEALTHY ? "unhealthy" : "starting";
}

#endif
