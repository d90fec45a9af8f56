#define _GNU_SOURCE
#include "fds.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "context.h"

static int from_environment(const char *name, int *fd, struct error *err)
{
    const char *text = getenv(name);
    int64_t number;

    *fd = -1;
    if (text == NULL)
        return 0;
    if (!parse_number(text, &number) || number < 0 || number > INT_MAX)
        return fail(err, "unable to parse %s", name);
    if (fcntl((int)number, F_SETFD, FD_CLOEXEC) < 0)
        return fail(err, "unable to make %s CLOEXEC: %m", name);
    *fd = (int)number;
    return 0;
}

static int close_on_exec(const char *name, int64_t number, struct error *err)
{
    if (number >= 0 && fcntl((int)number, F_SETFD, FD_CLOEXEC) < 0)
        return fail(err, "%s %lld: %m", name, (long long)number);
    return 0;
}

static int from_option(const char *name, int64_t number, int type, struct error *err)
{
    int real = 0;
    socklen_t size = sizeof(real);

    if (number < 0)
        return 0;
    if (close_on_exec(name, number, err) < 0)
        return -1;
    if (getsockopt((int)number, SOL_SOCKET, SO_TYPE, &real, &size) < 0 || real != type)
        return fail(err, "%s %lld is not a socket of the right type", name, (long long)number);
    return 0;
}

/* Returns how many descriptors from 3 up the runtime passes to the container. */
static int count_kept(const struct options *options)
{
    const struct list *opts = &options->runtime_opts;
    const char *listen = getenv("LISTEN_FDS");
    int64_t most = 0;
    int64_t number;

    if (listen != NULL && parse_number(listen, &number) && number > most)
        most = number;
    for (int i = 0; i < opts->count; i++) {
        const char *value = NULL;
        if (strncmp(opts->items[i], "--preserve-fds=", 15) == 0)
            value = opts->items[i] + 15;
        else if (strcmp(opts->items[i], "--preserve-fds") == 0 && i + 1 < opts->count)
            value = opts->items[i + 1];
        if (value != NULL && parse_number(value, &number) && number > most)
            most = number;
    }
    return most > 65536 ? 65536 : (int)most;
}

static int compare(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

static int close_all_but(int first, int *keep, int count)
{
    qsort(keep, (size_t)count, sizeof(*keep), compare);
    for (int i = 0; i < count; i++) {
        if (keep[i] < first)
            continue;
        if (keep[i] > first && close_range((unsigned)first, (unsigned)keep[i] - 1, 0) < 0)
            return -1;
        first = keep[i] + 1;
    }
    return close_range((unsigned)first, UINT_MAX, 0);
}

bool fds_is_strict(const struct options *options)
{
    return options->close_fds || options->runtime_run || options->attach_fd >= 0 || options->waiter_fd >= 0 ||
           options->hold_fd >= 0 || options->waiters || options->unlink_paths.count > 0 || options->health_dir != NULL;
}

int fds_take(struct context *ctx, struct error *err)
{
    struct options *options = &ctx->options;

    if (from_environment("_OCI_SYNCPIPE", &ctx->report.fd, err) < 0 ||
        from_environment("_OCI_STARTPIPE", &ctx->start_fd, err) < 0 ||
        from_environment("_OCI_ATTACHPIPE", &ctx->attach_fd, err) < 0 ||
        from_option("--attach-fd", options->attach_fd, SOCK_SEQPACKET, err) < 0 ||
        from_option("--waiter-fd", options->waiter_fd, SOCK_STREAM, err) < 0 ||
        close_on_exec("--hold-fd", options->hold_fd, err) < 0)
        return -1;
    /* Without --api-version, options_check refuses it. */
    if (options->exec_attach && options->api_version && ctx->attach_fd < 0)
        return fail(err, "--attach specified but _OCI_ATTACHPIPE was not");
    ctx->keep_fds = count_kept(options);
    if (!fds_is_strict(options))
        return 0;
    int keep[] = {ctx->report.fd,          ctx->start_fd,           ctx->attach_fd, (int)options->attach_fd,
                  (int)options->waiter_fd, (int)options->hold_fd};
    if (close_all_but(3 + ctx->keep_fds, keep, COUNT(keep)) < 0)
        return fail(err, "close_range: %m");
    return 0;
}

static bool is_named(const struct context *ctx, int fd)
{
    return fd == ctx->report.fd || fd == ctx->start_fd || fd == ctx->attach_fd || fd == ctx->options.attach_fd ||
           fd == ctx->options.waiter_fd || fd == ctx->options.hold_fd;
}

void fds_fill_gaps(const struct context *ctx)
{
    if (!fds_is_strict(&ctx->options))
        return;
    for (int fd = 3; fd < 3 + ctx->keep_fds; fd++) {
        int flags = fcntl(fd, F_GETFD);
        if (fd == ctx->null_fd)
            fcntl(fd, F_SETFD, 0);
        else if (flags < 0 || (flags & FD_CLOEXEC) != 0)
            dup2(ctx->null_fd, fd);
    }
}

void fds_after_spawn(struct context *ctx)
{
    if (!fds_is_strict(&ctx->options))
        return;
    /* Only inherited ones: a number that we have opened since is close-on-exec. */
    for (int fd = 3; fd < 3 + ctx->keep_fds; fd++)
        if (!is_named(ctx, fd) && fcntl(fd, F_GETFD) == 0)
            close(fd);
}

void fds_after_container(struct context *ctx)
{
    /* Descriptors that the monitor opened are close-on-exec; inherited ones aren't (they came through an exec). */
    DIR *directory = opendir("/proc/self/fd");
    struct dirent *entry;

    if (fds_is_strict(&ctx->options) || directory == NULL) {
        if (directory != NULL)
            closedir(directory);
        return;
    }
    while ((entry = readdir(directory)) != NULL) {
        int64_t fd;
        if (parse_number(entry->d_name, &fd) && fd > STDERR_FILENO && fcntl((int)fd, F_GETFD) == 0)
            close((int)fd);
    }
    closedir(directory);
}
