#define _GNU_SOURCE
#include "notify.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "context.h"

/* A container may report its own state, and nothing else: no MAINPID, no FDSTORE, and no future keys. */
static bool is_harmless(const char *line)
{
    static const char *const whole[] = {"READY=1", "RELOADING=1", "STOPPING=1", "WATCHDOG=1", "WATCHDOG=trigger"};
    static const char *const start[] = {"STATUS=", "ERRNO=", "BUSERROR=", "MONOTONIC_USEC=", "EXTEND_TIMEOUT_USEC="};

    for (size_t i = 0; i < COUNT(whole); i++)
        if (strcmp(line, whole[i]) == 0)
            return true;
    for (size_t i = 0; i < COUNT(start); i++)
        if (strncmp(line, start[i], strlen(start[i])) == 0)
            return true;
    return false;
}

static void relay(struct context *ctx, struct source *source, uint32_t events)
{
    char packet[4096];
    char kept[4096];
    size_t length = 0;
    /* No room for control data: passed descriptors are closed, which is all that a barrier needs. */
    ssize_t n = recv(source->fd, packet, sizeof(packet) - 1, MSG_DONTWAIT);

    (void)events;
    if (n <= 0)
        return;
    packet[n] = '\0';
    for (char *line = strtok(packet, "\r\n"); line != NULL; line = strtok(NULL, "\r\n")) {
        if (!is_harmless(line))
            continue;
        if (length > 0)
            kept[length++] = '\n';
        memcpy(kept + length, line, strlen(line));
        length += strlen(line);
    }
    if (length > 0 && sendto(ctx->notify.host_fd, kept, length, MSG_DONTWAIT | MSG_NOSIGNAL,
                             (struct sockaddr *)&ctx->notify.host, ctx->notify.host_size) < 0)
        message(ctx, LEVEL_WARN, "relay to the notify socket: %m");
}

int notify_open(struct context *ctx, struct error *err)
{
    struct notify *notify = &ctx->notify;
    const char *path = ctx->options.sdnotify_socket;

    notify->source.fd = -1;
    notify->host_fd = -1;
    if (path == NULL)
        return 0;
    if (ctx->options.bundle == NULL || *path == '\0' || strlen(path) >= sizeof(notify->host.sun_path))
        return fail(err, "--sdnotify-socket %s: needs a bundle, and a path of 1 to 107 bytes", path);
    notify->host.sun_family = AF_UNIX;
    memcpy(notify->host.sun_path, path, strlen(path) + 1);
    notify->host_size = sizeof(notify->host);
    if (*path == '@') { /* systemd's notation of an abstract socket */
        notify->host.sun_path[0] = '\0';
        notify->host_size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
    }
    notify->host_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (notify->host_fd < 0)
        return fail(err, "Failed to create notify socket: %m");
    notify->source.ready = relay;
    notify->source.fd = socket_in_bundle(ctx, "notify/notify.sock", SOCK_DGRAM, 0777, err);
    if (notify->source.fd < 0)
        return -1;
    return loop_watch(&ctx->loop, &notify->source, EPOLLIN);
}
