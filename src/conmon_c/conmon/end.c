#define _GNU_SOURCE
#include "end.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "context.h"
#include "fds.h"

#define RUNTIME_LONG_MS 1000

static const int ends[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT};

static void runtime_takes_long(struct context *ctx)
{
    /* It may be blocked on a full stderr. From now on its stderr counts as the container's output. */
    output_start(ctx);
}

void end_prepare(struct context *ctx)
{
    loop_timer(&ctx->loop, TIMER_RUNTIME, RUNTIME_LONG_MS, runtime_takes_long);
}

void end_started(struct context *ctx)
{
    struct options *options = &ctx->options;

    /* conmon's API version 0 reports only the exit code of an exec session. */
    if (options->api_version || !options->exec)
        report_number(ctx, (int)ctx->process.container_pid, NULL, false);
    if (!options->exec)
        report_close(ctx);
    oom_watch(ctx);
    if (options->timeout > 0)
        loop_timer(&ctx->loop, TIMER_TIMEOUT, options->timeout * 1000, process_kill_timed_out);
    output_start(ctx);
    health_begin(ctx);
}

void end_failed(struct context *ctx)
{
    ctx->end.failed = true;
    ctx->process.ended = true;
    loop_quit(&ctx->loop);
}

static void write_exit_file(struct context *ctx, const char *directory, const char *name)
{
    FREE char *path = directory ? path_join(directory, name) : NULL;
    struct error err;
    char text[16];

    if (path == NULL)
        return;
    snprintf(text, sizeof(text), "%d", process_exit_code(&ctx->process));
    if (replace_file(path, text, true, &err) < 0)
        message(ctx, LEVEL_ERROR, "exit file: %s", err.text);
}

static void unlink_files(struct context *ctx)
{
    for (int i = 0; i < ctx->options.unlink_paths.count; i++) {
        const char *path = ctx->options.unlink_paths.items[i];
        /* A network namespace's file is a mount point, busy in the mount namespace where it was mounted: ours. */
        if (unlink(path) < 0 && errno == EBUSY && umount2(path, MNT_DETACH) == 0)
            unlink(path);
    }
}

static bool is_done(const struct context *ctx)
{
    return ctx->end.flushing && ctx->clients.count == 0 && waiters_done(&ctx->waiters);
}

void end_check(struct context *ctx)
{
    if (is_done(ctx))
        loop_quit(&ctx->loop);
}

static void exec_exit_command(struct context *ctx)
{
    struct options *options = &ctx->options;
    char **argv = calloc((size_t)options->exit_args.count + 2, sizeof(char *));

    if (argv == NULL)
        _exit(1);
    argv[0] = options->exit_command;
    for (int i = 0; i < options->exit_args.count; i++)
        argv[i + 1] = options->exit_args.items[i];
    signal(SIGPIPE, SIG_DFL);
    signal(SIGXFSZ, SIG_DFL);
    /* systemd, which ends a unit, signals each process that it finds there until none is new (KillMode=control-group):
       the clean-up must survive that. What the command starts has the default again (podpy.process). */
    for (size_t i = 0; i < COUNT(ends); i++)
        signal(ends[i], SIG_IGN);
    sigprocmask(SIG_SETMASK, &ctx->old_mask, NULL);
    oom_restore_score(&ctx->oom);
    for (unsigned left = (unsigned)options->exit_delay; left > 0;)
        left = sleep(left);
    execv(argv[0], argv);
    _exit(1);
}

/* Returns its wait status; 0 if there is nothing to run. */
static int run_exit_command(struct context *ctx)
{
    int status = 0;

    if (ctx->options.exit_command == NULL || ctx->waiters.acknowledged)
        return 0;
    /* Don't wait for processes that the command leaves behind (it may fork a daemon). */
    prctl(PR_SET_CHILD_SUBREAPER, 0);
    pid_t pid = fork();
    if (pid == 0)
        exec_exit_command(ctx);
    if (pid < 0) {
        message(ctx, LEVEL_ERROR, "fork for the exit command: %m");
        return 0;
    }
    /* Podman's systemd units take the container as stopped when conmon ends: so stay until everything is cleaned up. */
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    return status;
}

static void wait_for_stragglers(struct context *ctx)
{
    struct error err;

    if (!is_done(ctx) && loop_run(ctx, &err) < 0)
        message(ctx, LEVEL_ERROR, "%s", err.text);
}

int end_run(struct context *ctx)
{
    for (int i = 0; i < TIMER_COUNT; i++)
        if (i != TIMER_DEADLINE) /* which ends the wait for a restart, too */
            loop_timer_stop(&ctx->loop, (enum timer)i);
    health_end(ctx);
    terminal_close(ctx);
    input_stop(ctx);
    if (ctx->end.failed) {
        process_kill_children(ctx);
    } else {
        oom_check(ctx);
        output_drain(ctx);
        log_finish(ctx);
    }
    ctx->end.flushing = true;
    clients_stop_listening(ctx);
    fds_after_container(ctx);
    clients_finish(ctx);
    unlink_files(ctx);
    restart_decide(ctx); /* before the exit file: a reader of that must find the decision, too */
    if (!ctx->end.failed) {
        write_exit_file(ctx, ctx->options.persist_dir, "exit");
        write_exit_file(ctx, ctx->options.exit_dir, ctx->options.cid);
        if (ctx->options.exec)
            report_number(ctx, process_exit_code(&ctx->process),
                          ctx->process.timed_out ? "command timed out" : NULL, false);
    }
    report_close(ctx);
    waiters_tell(ctx);
    wait_for_stragglers(ctx);
    do
        restart_wait(ctx);
    while (restart_again(ctx, run_exit_command(ctx)));
    return ctx->end.failed ? 1 : process_exit_code(&ctx->process);
}
