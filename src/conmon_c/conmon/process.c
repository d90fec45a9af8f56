#define _GNU_SOURCE
#include "process.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "children.h"
#include "context.h"

#define ABORT_MS 2000
#define FOREIGN_RETRY_MS 5
#define PF_EXITING 0x4 /* linux/sched.h; shown in /proc/PID/stat (proc(5), flags) */
#define FOREIGN_PATIENCE_MS 5000

int process_exit_code(const struct process *process)
{
    if (!process->status_known || process->timed_out)
        return -1;
    if (WIFSIGNALED(process->status))
        return 128 + WTERMSIG(process->status);
    return WEXITSTATUS(process->status);
}

static void container_ended(struct context *ctx, bool known, int status)
{
    struct process *process = &ctx->process;

    /* It may have ended just before the kill. */
    if (known && !(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL))
        process->timed_out = false;
    process->ended = true;
    process->status_known = known;
    process->status = status;
    process->container_pid = 0;
    loop_close(&ctx->loop, &process->pidfd);
    message(ctx, LEVEL_INFO, "container ended with status %d", process_exit_code(process));
    loop_quit(&ctx->loop);
}

/* The process has ended, but wasn't our child before. crun starts the container from a helper process: it may be
   ours now, or become ours when that helper ends. While it is unreaped (signal 0 works for a zombie), waiting is
   worth it; if another process has reaped it, its status is lost. */
static void look_after_foreign(struct context *ctx)
{
    struct process *process = &ctx->process;
    int status;

    if (process->container_pid <= 0)
        return;
    if (waitpid(process->container_pid, &status, WNOHANG) == process->container_pid) {
        container_ended(ctx, true, status);
    } else if (now_ms() < process->foreign_deadline &&
               syscall(SYS_pidfd_send_signal, process->pidfd.fd, 0, NULL, 0) == 0) {
        loop_timer(&ctx->loop, TIMER_FOREIGN, FOREIGN_RETRY_MS, look_after_foreign);
    } else {
        message(ctx, LEVEL_WARN, "the container's process is not our child: its exit status can't be known");
        container_ended(ctx, false, 0);
    }
}

static void foreign_container_ended(struct context *ctx, struct source *source, uint32_t events)
{
    (void)events;
    loop_unwatch(&ctx->loop, source);
    ctx->process.foreign_deadline = now_ms() + FOREIGN_PATIENCE_MS;
    look_after_foreign(ctx);
}

/* The pid of our own unreaped child can't be reused. If the container isn't our child (some runtimes have a process in
   between), its pid may be reused at any time, so a pidfd holds it. */
static void watch_foreign_container(struct context *ctx)
{
    struct process *process = &ctx->process;

    if (process->pidfd.fd >= 0)
        return;
    process->pidfd.fd = (int)syscall(SYS_pidfd_open, process->container_pid, 0);
    process->pidfd.ready = foreign_container_ended;
    if (process->pidfd.fd < 0 || loop_watch(&ctx->loop, &process->pidfd, EPOLLIN) < 0)
        look_after_foreign(ctx); /* already reaped */
}

/* Reads the pid that the runtime wrote. If the process has ended, it stays a zombie and keeps its pid until we wait for
   it; before this point we wait only for the runtime. */
static int read_container_pid(struct context *ctx, struct error *err)
{
    const char *path = ctx->options.container_pidfile;
    char text[32];
    int64_t pid;

    if (read_file(path, text, sizeof(text)) < 0)
        return fail(err, "Failed to read pidfile: %s: %m", path);
    text[strcspn(text, " \n")] = '\0';
    if (!parse_number(text, &pid) || pid <= 0)
        return fail(err, "Failed to read pidfile: %s does not hold a pid", path);
    ctx->process.container_pid = (pid_t)pid;
    return 0;
}

static void runtime_ended(struct context *ctx, int status)
{
    struct error err;
    char why[96];

    ctx->process.runtime_pid = 0;
    loop_timer_stop(&ctx->loop, TIMER_RUNTIME);
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        snprintf(why, sizeof(why), "Failed to %s container: the runtime ended with %s %d without an error text",
                 ctx->options.exec ? "exec in" : "create", WIFSIGNALED(status) ? "signal" : "exit status",
                 WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
        runtime_report_failure(ctx, why);
        end_failed(ctx);
        return;
    }
    if (terminal_check(ctx, &err) < 0 || read_container_pid(ctx, &err) < 0) {
        runtime_report_failure(ctx, err.text);
        end_failed(ctx);
        return;
    }
    end_started(ctx);
}

static void reap(struct context *ctx)
{
    struct process *process = &ctx->process;
    int status;
    pid_t pid;

    if (process->runtime_pid > 0) {
        /* Reap only the runtime now: any other zombie may be the container, whose pid isn't known yet. */
        if (waitpid(process->runtime_pid, &status, WNOHANG) == process->runtime_pid)
            runtime_ended(ctx, status);
        if (process->runtime_pid > 0)
            return;
    }
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
        if (pid == process->container_pid)
            container_ended(ctx, true, status);
        else
            health_reaped(ctx, pid, status);
    }
    if (process->container_pid > 0 && pid < 0 && errno == ECHILD)
        watch_foreign_container(ctx);
    else if (process->container_pid > 0 && process->pidfd.fd < 0 &&
             waitid(P_PID, (id_t)process->container_pid, &(siginfo_t){0}, WEXITED | WNOHANG | WNOWAIT) < 0)
        watch_foreign_container(ctx);
}

void process_signal(struct context *ctx, int number)
{
    struct process *process = &ctx->process;

    message(ctx, LEVEL_INFO, "passing signal %d on", number);
    if (process->pidfd.fd >= 0)
        syscall(SYS_pidfd_send_signal, process->pidfd.fd, number, NULL, 0);
    else if (process->container_pid > 0)
        kill(process->container_pid, number);
    else if (process->runtime_pid > 0)
        kill(process->runtime_pid, number);
    else
        loop_quit(&ctx->loop); /* nobody to pass it to: we are only flushing or waiting */
}

static void kill_container(struct context *ctx)
{
    process_signal(ctx, SIGKILL);
}

/* A unit's watchdog (systemd.service(5), WatchdogSec=) aborts the main process, the monitor; but the container is what
   hangs. It may write its core. If it is process 1 without a handler, the kernel keeps the signal from it. */
static void abort_container(struct context *ctx)
{
    process_signal(ctx, SIGABRT);
    loop_timer(&ctx->loop, TIMER_STOP, ABORT_MS, kill_container);
}

/* systemd ends a unit by SIGTERM to its main process, the monitor, and SIGKILL after TimeoutStopSec=; that would leave
   behind a container in a cgroup of its own. */
static void stop_container(struct context *ctx)
{
    process_signal(ctx, SIGTERM);
    if (ctx->options.stop_timeout >= 0 && !loop_timer_set(&ctx->loop, TIMER_STOP))
        loop_timer(&ctx->loop, TIMER_STOP, ctx->options.stop_timeout * 1000, kill_container);
}

static void pass_on(struct context *ctx, int number)
{
    restart_signal(ctx, number);
    if (number == SIGABRT)
        abort_container(ctx);
    else if (number == SIGTERM)
        stop_container(ctx);
    else
        process_signal(ctx, number);
}

static void signals_ready(struct context *ctx, struct source *source, uint32_t events)
{
    struct signalfd_siginfo info[8];
    ssize_t n = read(source->fd, info, sizeof(info));

    (void)events;
    for (size_t i = 0; n > 0 && i < (size_t)n / sizeof(info[0]); i++)
        if (info[i].ssi_signo != SIGCHLD)
            pass_on(ctx, (int)info[i].ssi_signo);
    /* Equal signals merge, so check all children. */
    reap(ctx);
}

int process_watch_signals(struct context *ctx, struct error *err)
{
    static const int handled[] = {SIGCHLD, SIGTERM, SIGINT, SIGQUIT, SIGHUP, SIGUSR1, SIGUSR2, SIGABRT};
    sigset_t mask;

    ctx->process.pidfd.fd = -1;
    sigemptyset(&mask);
    for (size_t i = 0; i < COUNT(handled); i++)
        sigaddset(&mask, handled[i]);
    if (sigprocmask(SIG_BLOCK, &mask, &ctx->old_mask) < 0)
        return fail(err, "sigprocmask: %m");
    /* If we inherited an ignored SIGCHLD, the kernel would reap our children, and their status would be lost. */
    signal(SIGCHLD, SIG_DFL);
    ctx->signals.fd = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
    ctx->signals.ready = signals_ready;
    if (ctx->signals.fd < 0 || loop_watch(&ctx->loop, &ctx->signals, EPOLLIN) < 0)
        return fail(err, "signalfd: %m");
    return 0;
}

bool process_is_ending(const struct process *process)
{
    char path[32];
    char text[512];
    unsigned flags = 0;

    if (process->container_pid <= 0)
        return true;
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)process->container_pid);
    if (read_file(path, text, sizeof(text)) <= 0)
        return true;
    /* The name in parentheses may contain anything; after it come the state and six numbers, then the flags. */
    char *at = strrchr(text, ')');
    if (at == NULL || sscanf(at + 1, " %*c %*d %*d %*d %*d %*d %u", &flags) != 1)
        return false;
    return (flags & PF_EXITING) != 0;
}

void process_kill_timed_out(struct context *ctx)
{
    struct process *process = &ctx->process;
    pid_t group = process->container_pid > 0 ? getpgid(process->container_pid) : -1;

    if (process->container_pid <= 0)
        return;
    message(ctx, LEVEL_INFO, "timed out, killing the container");
    process->timed_out = true;
    /* Only its own group: an exec session's process leads one, with its children in it. */
    if (process->pidfd.fd < 0 && group == process->container_pid && group > 1)
        kill(-group, SIGKILL);
    process_signal(ctx, SIGKILL);
}

void process_kill_children(struct context *ctx)
{
    int64_t deadline = now_ms() + 2000;

    (void)ctx;
    while (children_kill(getpid()) && now_ms() < deadline) {
        while (waitpid(-1, NULL, WNOHANG) > 0)
            ;
        usleep(1000);
    }
    while (waitpid(-1, NULL, WNOHANG) > 0)
        ;
}
