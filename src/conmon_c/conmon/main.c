/* conmon: watches one container (or one exec session in it) from before its start until after its end. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "context.h"
#include "fds.h"

static const char given_up[] = "the caller closed the start pipe without a start";

/* The caller moves us into the right cgroup, or prepares the container, and then writes one byte. End of file means
   that it has died: nobody knows this container then, so it must not start. */
static int wait_for_start(int fd, struct error *err)
{
    char buffer[256];
    ssize_t n;

    if (fd < 0)
        return 0;
    do
        n = read(fd, buffer, sizeof(buffer));
    while (n < 0 && errno == EINTR);
    if (n < 0)
        return fail(err, "start-pipe read failed: %m");
    return n == 0 ? fail(err, "%s", given_up) : 0;
}

static int write_pidfile(const char *path, pid_t pid, struct error *err)
{
    char text[16];

    if (path == NULL)
        return 0;
    snprintf(text, sizeof(text), "%d", (int)pid);
    return replace_file(path, text, false, err);
}

/* The parent exits after the pid file is written: the caller may read it right after waiting for the parent. */
static int become_daemon(struct context *ctx, struct error *err)
{
    pid_t pid = 0;

    if (ctx->options.sync)
        return write_pidfile(ctx->options.conmon_pidfile, getpid(), err);
    pid = fork();
    if (pid < 0)
        return fail(err, "fork: %m");
    if (pid == 0)
        return 0;
    if (write_pidfile(ctx->options.conmon_pidfile, pid, err) < 0) {
        dprintf(STDERR_FILENO, "[conmon:e]: Failed to write conmon pidfile: %s\n", err->text);
        kill(pid, SIGKILL);
        _exit(1);
    }
    _exit(0);
}

static int leave_caller(struct error *err)
{
    setsid(); /* fails for a process group's leader (--sync), which may stay in its session */
    if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
        return fail(err, "Failed to set as subreaper: %m");
    return 0;
}

static int leave_stdio(struct context *ctx, struct error *err)
{
    for (int fd = 0; fd <= STDERR_FILENO; fd++)
        if (dup2(ctx->null_fd, fd) < 0)
            return fail(err, "dup2: %m");
    return 0;
}

/* Everything that must be ready before the container can write its first byte. */
static int open_all(struct context *ctx, struct error *err)
{
    if (loop_init(&ctx->loop, err) < 0 || process_watch_signals(ctx, err) < 0 || output_open(ctx, err) < 0 ||
        clients_open(ctx, err) < 0 || control_link_bundle(ctx, err) < 0 || control_open(ctx, err) < 0 ||
        notify_open(ctx, err) < 0 || terminal_open(ctx, err) < 0 || waiters_open(ctx, err) < 0)
        return -1;
    end_prepare(ctx);
    return runtime_prepare(ctx, err);
}

/* An exec session with a client: the client reports its connection, so that it misses nothing. */
static int wait_for_attach(struct context *ctx, struct error *err)
{
    int sync_fd = ctx->report.fd;

    if (!ctx->options.exec_attach)
        return 0;
    ctx->report.fd = ctx->attach_fd;
    report_number(ctx, 0, NULL, false);
    close_fd(&ctx->report.fd);
    ctx->attach_fd = -1;
    ctx->report.fd = sync_fd;
    return wait_for_start(ctx->start_fd, err);
}

static int start(struct context *ctx, struct error *err)
{
    if (leave_caller(err) < 0)
        return -1;
    if (!ctx->log.passthrough && leave_stdio(ctx, err) < 0)
        return -1;
    if (open_all(ctx, err) < 0 || wait_for_attach(ctx, err) < 0)
        return -1;
    close_fd(&ctx->start_fd);
    close_fd(&ctx->attach_fd);
    if (runtime_spawn(ctx, err) < 0)
        return -1;
    /* Don't keep the caller's directory busy. Callers of conmon 2.1 may give relative paths; podpy doesn't. */
    if (fds_is_strict(&ctx->options) && chdir("/") < 0)
        return fail(err, "chdir /: %m");
    return ctx->log.passthrough ? leave_stdio(ctx, err) : 0;
}

static int prepare(struct context *ctx, struct error *err)
{
    struct options *options = &ctx->options;

    if (messages_init(&ctx->messages, options->log_level, options->syslog, options->cid, err) < 0 ||
        options_check(options, err) < 0 || log_open(ctx, err) < 0)
        return -1;
    ctx->null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (ctx->null_fd < 0)
        return fail(err, "Failed to open /dev/null: %m");
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN); /* a log at the file size limit must be a failed write, not our death */
    oom_protect(&ctx->oom);
    return wait_for_start(ctx->start_fd, err);
}

static int give_up(struct context *ctx, const struct error *err)
{
    /* A caller that gave up has told its user why: print no second message. */
    message(ctx, strcmp(err->text, given_up) == 0 ? LEVEL_INFO : LEVEL_ERROR, "%s", err->text);
    report_number(ctx, -1, err->text, false);
    return 1;
}

static struct context *make_context(void)
{
    struct context *ctx = mmap(NULL, sizeof(*ctx), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (ctx == MAP_FAILED)
        return NULL;
    ctx->buffers = mmap(NULL, sizeof(*ctx->buffers), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ctx->messages.level = LEVEL_WARN;
    ctx->messages.syslog_fd = -1;
    ctx->report.fd = -1;
    ctx->start_fd = -1;
    ctx->attach_fd = -1;
    ctx->health.answer_fd = -1;
    ctx->health.frozen_fd = ctx->health.freeze_fd = -1;
    ctx->health.probe.output.fd = -1;
    return ctx->buffers == MAP_FAILED ? NULL : ctx;
}

int main(int argc, char **argv)
{
    struct context *ctx = make_context();
    struct error err;

    if (ctx == NULL)
        return 1;
    umask(0022);
    if (options_parse(&ctx->options, argc, argv, &err) < 0) {
        dprintf(STDERR_FILENO, "conmon: %s\n", err.text);
        return 1;
    }
    if (ctx->options.help || ctx->options.version) {
        ctx->options.help ? options_print_help() : options_print_version();
        return 0;
    }
    ctx->messages.cid = ctx->options.cid ? ctx->options.cid : "";
    if (fds_take(ctx, &err) < 0 || prepare(ctx, &err) < 0 || become_daemon(ctx, &err) < 0 || start(ctx, &err) < 0)
        return give_up(ctx, &err);
    if (loop_run(ctx, &err) < 0)
        return give_up(ctx, &err);
    return end_run(ctx);
}
