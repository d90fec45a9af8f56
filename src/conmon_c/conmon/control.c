#define _GNU_SOURCE
#include "control.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "context.h"

enum { CTL_RESIZE = 1, CTL_REOPEN_LOGS = 2, CTL_HEALTH = 3, CTL_NO_RESTART = 4, CTL_POLICY = 5, CTL_STOP = 6 };

static void resize(struct context *ctx, int rows, int columns)
{
    if (rows < 0 || columns < 0 || rows > TERMINAL_SIZE_MAX || columns > TERMINAL_SIZE_MAX)
        message(ctx, LEVEL_WARN, "Invalid window size: %dx%d (must be between 0 and %d)", rows, columns,
                TERMINAL_SIZE_MAX);
    else
        terminal_resize(ctx, rows, columns);
}

static void ctl_line(struct context *ctx, const char *line)
{
    int type, rows, columns;

    if (sscanf(line, "%d %d %d", &type, &rows, &columns) != 3)
        message(ctx, LEVEL_WARN, "Invalid control message: %s", line);
    else if (type == CTL_RESIZE)
        resize(ctx, rows, columns);
    else if (type == CTL_REOPEN_LOGS)
        log_reopen(ctx);
    else if (type == CTL_HEALTH)
        health_control(ctx, rows);
    else if (type == CTL_NO_RESTART)
        ctx->restart.forbidden = true;
    else if (type == CTL_POLICY)
        restart_control(ctx, rows);
    else if (type == CTL_STOP)
        health_stop(ctx, rows);
    else
        message(ctx, LEVEL_WARN, "Unknown control message type: %d", type);
}

static void winsz_line(struct context *ctx, const char *line)
{
    int rows, columns;

    if (sscanf(line, "%d %d", &rows, &columns) == 2)
        resize(ctx, rows, columns);
    else
        message(ctx, LEVEL_WARN, "Failed to parse window size: %s", line);
}

static void fifo_ready(struct context *ctx, struct source *source, uint32_t events)
{
    struct fifo *fifo = (struct fifo *)source; /* its first member */
    ssize_t n = read(source->fd, fifo->line + fifo->used, sizeof(fifo->line) - 1 - fifo->used);
    char *end;

    (void)events;
    if (n <= 0)
        return;
    fifo->used += (size_t)n;
    fifo->line[fifo->used] = '\0';
    while ((end = memchr(fifo->line, '\n', fifo->used)) != NULL) {
        *end++ = '\0';
        if (fifo == &ctx->control.ctl)
            ctl_line(ctx, fifo->line);
        else
            winsz_line(ctx, fifo->line);
        fifo->used -= (size_t)(end - fifo->line);
        memmove(fifo->line, end, fifo->used);
    }
    if (fifo->used == sizeof(fifo->line) - 1)
        fifo->used = 0; /* too long for a message: drop it */
}

static int open_fifo(struct context *ctx, struct fifo *fifo, const char *name, struct error *err)
{
    FREE char *path = path_join(ctx->options.bundle, name);

    if (path == NULL)
        return fail(err, "out of memory");
    if (unlink(path) < 0 && errno != ENOENT)
        return fail(err, "remove old %s: %m", path);
    if (mkfifo(path, 0660) < 0)
        return fail(err, "Failed to mkfifo at %s: %m", path);
    /* Read and write: with our own writer, there is no hang-up when the last other one closes. */
    fifo->source.fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
    fifo->source.ready = fifo_ready;
    if (fifo->source.fd < 0 || loop_watch(&ctx->loop, &fifo->source, EPOLLIN) < 0)
        return fail(err, "open %s: %m", path);
    return 0;
}

int control_open(struct context *ctx, struct error *err)
{
    ctx->control.ctl.source.fd = -1;
    ctx->control.winsz.source.fd = -1;
    if (ctx->options.bundle == NULL || (ctx->log.passthrough && ctx->options.health_dir == NULL))
        return 0;
    if (open_fifo(ctx, &ctx->control.ctl, "ctl", err) < 0)
        return -1;
    return ctx->log.passthrough ? 0 : open_fifo(ctx, &ctx->control.winsz, "winsz", err);
}

int socket_in_bundle(struct context *ctx, const char *name, int type, mode_t mode, struct error *err)
{
    CLOSE_FD int directory = open(ctx->options.bundle, O_PATH | O_DIRECTORY | O_CLOEXEC);
    CLOSE_FD int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (directory < 0)
        return fail(err, "open %s: %m", ctx->options.bundle);
    if (unlinkat(directory, name, 0) < 0 && errno != ENOENT)
        return fail(err, "remove old socket %s/%s: %m", ctx->options.bundle, name);
    /* A socket's path may have 107 bytes; this one is short wherever the bundle is. */
    snprintf(address.sun_path, sizeof(address.sun_path), "/proc/self/fd/%d/%s", directory, name);
    if (fd < 0 || fchmod(fd, mode) < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
        return fail(err, "bind %s/%s: %m", ctx->options.bundle, name);
    if (mode == 0777 && fchmodat(directory, name, mode, 0) < 0) /* bind applied the umask */
        return fail(err, "chmod %s/%s: %m", ctx->options.bundle, name);
    int made = fd;
    fd = -1;
    return made;
}

int control_link_bundle(struct context *ctx, struct error *err)
{
    struct options *options = &ctx->options;
    char *link;

    if (options->full_attach || options->bundle == NULL || options->cuuid == NULL || ctx->log.passthrough)
        return 0;
    link = path_join(options->socket_dir, options->cuuid);
    if (link == NULL)
        return fail(err, "out of memory");
    /* conmon 2.1 shortens a link that is exactly as long as a socket's path may be, and so do its clients. */
    if (strlen(link) == sizeof(((struct sockaddr_un *)0)->sun_path) - 1)
        link[strlen(link) - 1] = '\0';
    ctx->clients.link = link;
    if (unlink(link) < 0 && errno != ENOENT)
        return fail(err, "Failed to remove existing symlink for socket directory %s: %m", link);
    if (symlink(options->bundle, link) < 0)
        return fail(err, "Failed to create symlink %s: %m", link);
    return 0;
}
