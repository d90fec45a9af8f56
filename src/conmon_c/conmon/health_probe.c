/* One run of a health check or a hook: `RUNTIME exec` with the OCI process that podpy has written into DIR (NAME.json),
   or a program of podpy's in the container's network namespace (NAME.argv, each word with its NUL). Its output comes
   through a pipe, and it is killed at its timeout. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "children.h"
#include "context.h"
#include "../common/memory.h"

#define NOT_EXECUTABLE 127
#define WORDS 256         /* of a program's command line, with the NULL at its end */
#define WORDS_SIZE 16384

static const char *const names[] = {"process", "startup", "readiness", "post_start", "pre_stop"};

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

/* Its words, which lie in `text`; NULL if they are too many. */
static char **program(char *text, size_t size)
{
    static char *argv[WORDS];
    int n = 0;

    for (char *word = text; word < text + size; word += strlen(word) + 1) {
        if (n == WORDS - 1)
            return NULL;
        argv[n++] = word;
    }
    argv[n] = NULL; /* an earlier one may have had more words */
    return n > 0 ? argv : NULL;
}

/* Where the container has the host's network, the monitor is there already, and may not be allowed to join it. */
static bool join_network(pid_t pid)
{
    char path[32];
    struct stat own, theirs;

    snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &theirs) < 0 || stat("/proc/self/ns/net", &own) < 0)
        return false;
    return (own.st_ino == theirs.st_ino && own.st_dev == theirs.st_dev) || setns(fd, CLONE_NEWNET) == 0;
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
    if (ctx->health.probe.is_program && !join_network(ctx->process.container_pid)) {
        dprintf(STDERR_FILENO, "the container's network namespace: %m\n");
        _exit(NOT_EXECUTABLE);
    }
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

static bool open_output(struct context *ctx, int *theirs)
{
    struct probe *probe = &ctx->health.probe;
    int fds[2];

    probe->size = (size_t)ctx->health.config.log_size;
    probe->text = malloc(probe->size);
    if (probe->text == NULL || pipe2(fds, O_CLOEXEC) < 0)
        return false;
    *theirs = fds[1];
    probe->output = (struct source){.fd = fds[0], .ready = output_ready};
    return fcntl(fds[0], F_SETFL, O_NONBLOCK) >= 0 && loop_watch(&ctx->loop, &probe->output, EPOLLIN) >= 0;
}

static bool spawn(struct context *ctx)
{
    struct probe *probe = &ctx->health.probe;
    CLOSE_FD int theirs = -1;
    FREE char *base = path_join(ctx->options.health_dir, names[probe->run]);
    FREE char *path = NULL;
    FREE char **command = NULL;
    pid_t conmon_pid = getpid();
    char text[WORDS_SIZE];

    if (base == NULL || asprintf(&path, "%s.argv", base) < 0)
        return false;
    ssize_t size = read_file(path, text, sizeof(text));
    probe->is_program = size > 0;
    memcpy(path + strlen(base), ".json", 5);
    char **argv = probe->is_program ? program(text, (size_t)size) : (command = arguments(ctx, path));
    if (argv == NULL || !open_output(ctx, &theirs))
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

void probe_limit(struct context *ctx, int64_t timeout)
{
    loop_timer(&ctx->loop, TIMER_PROBE, timeout, too_slow);
}

bool probe_start(struct context *ctx, enum run run, int64_t timeout)
{
    struct probe *probe = &ctx->health.probe;

    *probe = (struct probe){.output.fd = -1, .run = run};
    health_time(ctx, probe->started);
    if (!spawn(ctx)) {
        message(ctx, LEVEL_WARN, "health check: %s: %m", names[run]);
        probe->pid = 0;
        forget(ctx);
        return false;
    }
    if (timeout > 0)
        probe_limit(ctx, timeout);
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

/* Processes that it has left may hold the pipe open and write forever: read only what is there now. A probe that was
   killed at its timeout couldn't say so; these are Go's words for it. */
static void read_rest(struct context *ctx)
{
    static const char too_late[] = "context deadline exceeded\n";
    struct probe *probe = &ctx->health.probe;

    for (int i = 0; i < 64 && probe->output.fd >= 0; i++)
        if (read_some(ctx) <= 0)
            break;
    if (probe->timed_out && probe->is_program && probe->used == 0 && probe->size >= sizeof(too_late)) {
        memcpy(probe->text, too_late, sizeof(too_late) - 1);
        probe->used = sizeof(too_late) - 1;
    }
}

void probe_ended(struct context *ctx, int status)
{
    struct probe *probe = &ctx->health.probe;
    enum run run = probe->run;
    int code = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    bool counts = false;

    if (probe->timed_out)
        code = -1;
    probe->pid = 0;
    read_rest(ctx);
    if (run < RUN_CHECKS)
        counts = health_result(ctx, code);
    else
        hook_result(ctx, code);
    forget(ctx);
    memory_give_text_back(); /* the next check is at least a second away */
    if (run < RUN_CHECKS)
        health_go_on(ctx, run, counts);
    else
        hook_go_on(ctx, run, code);
}
