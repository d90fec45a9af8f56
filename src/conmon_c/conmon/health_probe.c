/* One run of a health check's command: `RUNTIME exec` with the process that podpy has written into DIR, its output
   through a pipe, killed at its timeout. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "children.h"
#include "context.h"
#include "../common/memory.h"

#define NOT_EXECUTABLE 127

/* The runtime's arguments, except its log's: the log would grow with each failure, and the runtime's message belongs to
   the check's output. */
static char **arguments(struct context *ctx, const char *process)
{
    const struct list *given = &ctx->options.runtime_args;
    char **argv = calloc((size_t)given->count + 6, sizeof(char *));
    int n = 0;

    if (argv == NULL)
        return NULL;
    argv[n++] = ctx->options.runtime;
    for (int i = 0; i < given->count; i++) {
        if (strcmp(given->items[i], "--log") == 0)
            i++;
        else if (strncmp(given->items[i], "--log", 5) != 0)
            argv[n++] = given->items[i];
    }
    argv[n++] = "exec";
    argv[n++] = "--process";
    argv[n++] = (char *)process; /* execv's prototype predates const */
    argv[n++] = ctx->options.cid;
    return argv;
}

static void child(struct context *ctx, char **argv, int output, pid_t conmon_pid)
{
    /* If the monitor dies, nobody would end this process at its timeout. */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != conmon_pid)
        _exit(NOT_EXECUTABLE);
    setpgid(0, 0); /* its children stay in this group, unless they leave it: see probe_kill */
    signal(SIGPIPE, SIG_DFL);
    signal(SIGXFSZ, SIG_DFL);
    sigprocmask(SIG_SETMASK, &ctx->old_mask, NULL);
    if (dup2(ctx->null_fd, STDIN_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0 || dup2(output, STDERR_FILENO) < 0)
        _exit(NOT_EXECUTABLE);
    oom_restore_score(&ctx->oom);
    execv(argv[0], argv);
    dprintf(STDERR_FILENO, "%s: %m\n", argv[0]);
    _exit(NOT_EXECUTABLE);
}

/* Keeps the beginning. The rest is read, too, so that the command doesn't wait for a reader. */
static ssize_t read_some(struct context *ctx)
{
    struct probe *probe = &ctx->health.probe;
    size_t room = probe->size - probe->used;
    char drop[4096];
    ssize_t n = read(probe->output.fd, drop, sizeof(drop));

    if (n > 0) {
        size_t part = (size_t)n < room ? (size_t)n : room;
        memcpy(probe->text + probe->used, drop, part);
        probe->used += part;
    }
    return n;
}

static void output_ready(struct context *ctx, struct source *source, uint32_t events)
{
    ssize_t n = read_some(ctx);

    (void)events;
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
        loop_close(&ctx->loop, source);
}

static void too_slow(struct context *ctx)
{
    ctx->health.probe.timed_out = true;
    probe_kill(ctx);
}

static bool spawn(struct context *ctx, const char *process)
{
    struct probe *probe = &ctx->health.probe;
    CLOSE_FD int theirs = -1;
    FREE char **argv = arguments(ctx, process);
    pid_t conmon_pid = getpid();
    int fds[2];

    probe->size = (size_t)ctx->health.config.log_size;
    probe->text = malloc(probe->size);
    if (argv == NULL || probe->text == NULL || pipe2(fds, O_CLOEXEC) < 0)
        return false;
    theirs = fds[1];
    probe->output = (struct source){.fd = fds[0], .ready = output_ready};
    if (fcntl(fds[0], F_SETFL, O_NONBLOCK) < 0 || loop_watch(&ctx->loop, &probe->output, EPOLLIN) < 0)
        return false;
    probe->pid = fork();
    if (probe->pid == 0)
        child(ctx, argv, theirs, conmon_pid);
    return probe->pid > 0;
}

static void forget(struct context *ctx)
{
    struct probe *probe = &ctx->health.probe;

    loop_timer_stop(&ctx->loop, TIMER_PROBE);
    loop_close(&ctx->loop, &probe->output);
    free(probe->text);
    *probe = (struct probe){.output.fd = -1};
}

bool probe_start(struct context *ctx, bool startup)
{
    struct health *health = &ctx->health;
    struct probe *probe = &health->probe;
    FREE char *process = path_join(ctx->options.health_dir, startup ? "startup.json" : "process.json");

    *probe = (struct probe){.output.fd = -1, .startup = startup};
    health_time(ctx, probe->started);
    if (process == NULL || !spawn(ctx, process)) {
        message(ctx, LEVEL_WARN, "health check: %m");
        probe->pid = 0;
        forget(ctx);
        return false;
    }
    loop_timer(&ctx->loop, TIMER_PROBE, startup ? health->config.startup_timeout : health->config.timeout, too_slow);
    return true;
}

void probe_kill(struct context *ctx)
{
    pid_t pid = ctx->health.probe.pid;

    if (pid <= 0)
        return;
    kill(pid, SIGSTOP); /* else it might end, and its children get another parent, while they are listed */
    children_kill_below(pid);
    kill(-pid, SIGKILL); /* also those whose parent has ended already */
    kill(pid, SIGKILL);
}

void probe_ended(struct context *ctx, int status)
{
    struct probe *probe = &ctx->health.probe;
    int code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);

    probe->pid = 0;
    /* Processes that it has left may hold the pipe open and write forever: read only what is there now. */
    for (int i = 0; i < 64 && probe->output.fd >= 0; i++)
        if (read_some(ctx) <= 0)
            break;
    health_result(ctx, probe->timed_out ? -1 : code);
    forget(ctx);
    memory_give_text_back(); /* the next check is at least a second away */
}
