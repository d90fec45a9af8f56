#define _GNU_SOURCE
#include "watch.h"

#include <limits.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "context.h"

#define OVER (IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT | IN_IGNORED)

static bool is_over(const struct watch *watch, const char *buffer, ssize_t length)
{
    ssize_t at = 0;

    while (at < length) {
        const struct inotify_event *event = (const struct inotify_event *)(const void *)(buffer + at);
        if ((event->mask & OVER) != 0 || (event->len > 0 && strcmp(event->name, watch->name) == 0))
            return true;
        at += (ssize_t)(sizeof(*event) + event->len);
    }
    return false;
}

static void ready(struct context *ctx, struct source *source, uint32_t events)
{
    _Alignas(struct inotify_event) char buffer[4096];
    ssize_t n = read(source->fd, buffer, sizeof(buffer));

    (void)events;
    if (n > 0 && is_over(&ctx->watch, buffer, n))
        ctx->loop.quit = true;
}

/* The directory, not the file: that is a mount point in other mount namespaces, and what is mounted there has an inode
   of its own. */
int watch_open(struct context *ctx, const char *path, struct error *err)
{
    struct watch *watch = &ctx->watch;
    const char *slash = strrchr(path, '/');
    char directory[PATH_MAX];

    if (slash == NULL || (size_t)(slash - path) >= sizeof(directory))
        return fail(err, "%s: no absolute path", path);
    memcpy(directory, path, (size_t)(slash - path));
    directory[slash - path] = '\0';
    watch->name = slash + 1;
    watch->source.ready = ready;
    watch->source.fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (watch->source.fd < 0 ||
        inotify_add_watch(watch->source.fd, directory, IN_DELETE | IN_MOVED_FROM | IN_DELETE_SELF | IN_MOVE_SELF) < 0 ||
        loop_add(&ctx->loop, &watch->source, EPOLLIN) < 0)
        return fail(err, "watching %s: %m", directory);
    return access(path, F_OK) < 0 ? fail(err, "%s: %m", path) : 0;
}
