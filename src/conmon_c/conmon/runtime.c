#define _GNU_SOURCE
#include "runtime.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "context.h"
#include "fds.h"

static void add(struct runtime *runtime, int *count, const char *word)
{
    runtime->argv[(*count)++] = (char *)word; /* execv's prototype predates const */
}

static void add_list(struct runtime *runtime, int *count, const struct list *list)
{
    for (int i = 0; i < list->count; i++)
        add(runtime, count, list->items[i]);
}

static void add_exec(struct context *ctx, int *n)
{
    struct runtime *runtime = &ctx->runtime;

    add(runtime, n, "exec");
    add(runtime, n, "--pid-file");
    add(runtime, n, ctx->options.container_pidfile);
    add(runtime, n, "--process");
    add(runtime, n, ctx->options.exec_process_spec);
    add(runtime, n, "--detach");
}

static void add_create(struct context *ctx, int *n)
{
    struct runtime *runtime = &ctx->runtime;
    struct options *options = &ctx->options;

    add(runtime, n, options->restore ? "restore" : options->runtime_run ? "run" : "create");
    add(runtime, n, "--bundle");
    add(runtime, n, options->bundle);
    add(runtime, n, "--pid-file");
    add(runtime, n, options->container_pidfile);
    if (options->no_pivot)
        add(runtime, n, "--no-pivot");
    if (options->no_new_keyring)
        add(runtime, n, "--no-new-keyring");
    if (options->restore != NULL || options->runtime_run)
        add(runtime, n, "--detach");
    if (options->restore != NULL) {
        add(runtime, n, "--image-path");
        add(runtime, n, options->restore);
        add(runtime, n, "--work-path");
        add(runtime, n, options->bundle);
    }
}

static void find_log(struct runtime *runtime, const struct list *args)
{
    struct stat status;

    for (int i = 0; i < args->count; i++) {
        if (strncmp(args->items[i], "--log=", 6) == 0)
            runtime->log_path = args->items[i] + 6;
        else if (strcmp(args->items[i], "--log") == 0 && i + 1 < args->count)
            runtime->log_path = args->items[i + 1];
    }
    /* The log may hold messages of an earlier runtime: only what is added from now on counts. */
    if (runtime->log_path != NULL && stat(runtime->log_path, &status) == 0)
        runtime->log_start = status.st_size;
}

int runtime_prepare(struct context *ctx, struct error *err)
{
    struct runtime *runtime = &ctx->runtime;
    struct options *options = &ctx->options;
    int n = 0;

    runtime->argv = calloc((size_t)(options->runtime_args.count + options->runtime_opts.count + 24), sizeof(char *));
    if (runtime->argv == NULL)
        return fail(err, "out of memory");
    add(runtime, &n, options->runtime);
    if (options->systemd_cgroup && !options->exec)
        add(runtime, &n, "--systemd-cgroup");
    add_list(runtime, &n, &options->runtime_args);
    if (options->exec)
        add_exec(ctx, &n);
    else
        add_create(ctx, &n);
    add_list(runtime, &n, &options->runtime_opts);
    if (options->terminal) {
        add(runtime, &n, "--console-socket");
        add(runtime, &n, ctx->terminal.socket_path);
    }
    add(runtime, &n, options->cid);
    find_log(runtime, &options->runtime_args);
    for (int i = 0; i < n; i++)
        message(ctx, LEVEL_TRACE, "runtime argument %d: %s", i, runtime->argv[i]);
    return 0;
}

static void set_listen_pid(const struct context *ctx, pid_t conmon_pid)
{
    const char *value = getenv("LISTEN_PID");
    int64_t number;
    char text[16];

    if (value == NULL)
        return;
    if (ctx->options.replace_listen_pid || (parse_number(value, &number) && number == conmon_pid)) {
        snprintf(text, sizeof(text), "%d", (int)getpid());
        setenv("LISTEN_PID", text, 1);
    }
}

static void child_fail(const char *what)
{
    /* stderr is the pipe whose content becomes the runtime's error text. */
    dprintf(STDERR_FILENO, "conmon: %s: %m\n", what);
    _exit(127);
}

static void child(struct context *ctx, pid_t conmon_pid)
{
    struct output *output = &ctx->output;

    /* If conmon dies now, nobody would watch this container: the runtime must not go on. */
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != conmon_pid)
        _exit(127);
    signal(SIGPIPE, SIG_DFL);
    signal(SIGXFSZ, SIG_DFL);
    sigprocmask(SIG_SETMASK, &ctx->old_mask, NULL);
    if (!ctx->log.passthrough) {
        if (dup2(output->child_stdin >= 0 ? output->child_stdin : ctx->null_fd, STDIN_FILENO) < 0 ||
            dup2(output->child_stdout >= 0 ? output->child_stdout : ctx->null_fd, STDOUT_FILENO) < 0 ||
            dup2(output->child_stderr, STDERR_FILENO) < 0)
            child_fail("dup2");
    }
    set_listen_pid(ctx, conmon_pid);
    oom_restore_score(&ctx->oom);
    fds_fill_gaps(ctx);
    execv(ctx->runtime.argv[0], ctx->runtime.argv);
    child_fail(ctx->runtime.argv[0]);
}

int runtime_spawn(struct context *ctx, struct error *err)
{
    pid_t conmon_pid = getpid();

    /* An old pid file would be read as this start's. */
    if (unlink(ctx->options.container_pidfile) < 0 && errno != ENOENT)
        return fail(err, "remove old pid file %s: %m", ctx->options.container_pidfile);
    ctx->process.runtime_pid = fork();
    if (ctx->process.runtime_pid < 0)
        return fail(err, "fork: %m");
    if (ctx->process.runtime_pid == 0)
        child(ctx, conmon_pid);
    output_close_child_ends(&ctx->output);
    fds_after_spawn(ctx);
    return 0;
}

/* Finds the value of "msg" in the last line of level error, and ends it with a NUL. It is still escaped, so it can
   be put into other JSON as it is. crun and runc write one flat object per line. */
static char *find_message(char *log)
{
    char *best = NULL;

    for (char *line = strtok(log, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        char *msg = strstr(line, "\"msg\":");
        if (msg == NULL || strstr(line, "\"level\":\"error\"") == NULL)
            continue;
        msg += 6;
        msg += strspn(msg, " ");
        if (*msg != '"')
            continue;
        char *end = ++msg;
        while (*end != '\0' && *end != '"')
            end += end[0] == '\\' && end[1] != '\0' ? 2 : 1;
        if (*end != '"')
            continue;
        *end = '\0';
        best = msg;
    }
    return best;
}

static ssize_t read_tail(const struct runtime *runtime, char *text, size_t size)
{
    CLOSE_FD int fd = open(runtime->log_path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t n;

    if (fd < 0)
        return -1;
    n = pread(fd, text, size - 1, runtime->log_start);
    if (n >= 0)
        text[n] = '\0';
    return n;
}

static size_t read_stderr(struct context *ctx)
{
    struct runtime *runtime = &ctx->runtime;
    int fd = ctx->output.streams[STREAM_STDERR].source.fd;

    while (fd >= 0 && runtime->failure_size < sizeof(runtime->failure) - 1) {
        ssize_t n = read(fd, runtime->failure + runtime->failure_size,
                         sizeof(runtime->failure) - 1 - runtime->failure_size);
        if (n <= 0)
            break;
        runtime->failure_size += (size_t)n;
    }
    runtime->failure[runtime->failure_size] = '\0';
    return runtime->failure_size;
}

void runtime_remember(struct runtime *runtime, const unsigned char *data, size_t size)
{
    size_t room = sizeof(runtime->failure) - 1 - runtime->failure_size;
    size_t part = size < room ? size : room;

    memcpy(runtime->failure + runtime->failure_size, data, part);
    runtime->failure_size += part;
}

void runtime_report_failure(struct context *ctx, const char *why)
{
    char log[8192];
    char *text = NULL;

    if (ctx->runtime.log_path != NULL && read_tail(&ctx->runtime, log, sizeof(log)) > 0)
        text = find_message(log);
    if (text != NULL) {
        message(ctx, LEVEL_WARN, "runtime: %s", text);
        report_number(ctx, -1, text, true);
    } else if (read_stderr(ctx) > 0) {
        message(ctx, LEVEL_WARN, "runtime stderr: %s", ctx->runtime.failure);
        report_number(ctx, -1, ctx->runtime.failure, false);
    } else {
        message(ctx, LEVEL_WARN, "%s", why);
        report_number(ctx, -1, why, false);
    }
}
