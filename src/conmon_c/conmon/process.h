/* The runtime's pid and the container's first process: reaping, and passing signals on. */
#ifndef PODPY_CONMON_PROCESS_H
#define PODPY_CONMON_PROCESS_H

#include "loop.h"

struct process {
    pid_t runtime_pid;   /* 0: not running */
    pid_t container_pid; /* 0: unknown, or reaped */
    struct source pidfd; /* of a container process that is not our child */
    int64_t foreign_deadline;
    bool ended;          /* the container's process has ended */
    bool status_known;   /* `status` is from wait */
    int status;
    bool timed_out;
};

/* Blocks the handled signals, and creates the signalfd. */
int process_watch_signals(struct context *ctx, struct error *err);

/* Returns the exit code: 128 + n for a signal; -1 if unknown. */
int process_exit_code(const struct process *process);

/* Returns whether the container's first process is exiting or has ended: its other processes are being killed then. */
bool process_is_ending(const struct process *process);

/* Sends a signal to the container's first process (to the runtime, while that runs). */
void process_signal(struct context *ctx, int number);

void process_kill_timed_out(struct context *ctx);

/* Ends and reaps what a failed runtime has left: all our children. */
void process_kill_children(struct context *ctx);

#endif
