#define _GNU_SOURCE
#include "oom.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "cgroup.h"
#include "context.h"

#define OOM_SCORE "/proc/self/oom_score_adj"

static void write_score(const char *score)
{
    CLOSE_FD int fd = open(OOM_SCORE, O_WRONLY | O_CLOEXEC);

    /* Lowering it needs CAP_SYS_RESOURCE; without it, conmon 2.1 goes on, too. */
    if (fd >= 0 && write(fd, score, strlen(score)) < 0)
        return;
}

void oom_protect(struct oom *oom)
{
    oom->counter_fd = -1;
    oom->above_fd = -1;
    oom->source.fd = -1;
    if (read_file(OOM_SCORE, oom->old_score, sizeof(oom->old_score)) < 0)
        oom->old_score[0] = '\0';
    write_score("-1000");
}

void oom_restore_score(const struct oom *oom)
{
    if (oom->old_score[0] != '\0')
        write_score(oom->old_score);
}

static void make_file(struct context *ctx, const char *directory)
{
    FREE char *path = directory ? path_join(directory, "oom") : NULL;

    if (path == NULL)
        return;
    CLOSE_FD int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (fd < 0)
        message(ctx, LEVEL_WARN, "make %s: %m", path);
}

/* "oom_kill N" is in v2's memory.events and (since Linux 4.13) in v1's memory.oom_control. Not "oom N": that counts
   hits of the limit, which a process can survive. Returns -1 if the cgroup is gone. */
static int64_t read_kills(int fd)
{
    char text[512];
    ssize_t n = fd < 0 ? -1 : pread(fd, text, sizeof(text) - 1, 0);

    if (n <= 0)
        return -1;
    text[n] = '\0';
    char *at = strstr(text, "oom_kill ");
    return at ? strtoll(at + 9, NULL, 10) : 0;
}

/* Whether the kernel killed a process. The notice of it may come 10 ms late (the kernel tells nobody more often), and
   systemd removes an empty scope at once. A cgroup above counts its children's kills, those of others, too; so it only
   decides about a container that SIGKILL has ended. */
static bool has_killed(const struct context *ctx)
{
    const struct oom *oom = &ctx->oom;
    int64_t kills = read_kills(oom->counter_fd);

    if (kills >= 0)
        return kills > oom->kills;
    return !ctx->options.exec && ctx->process.ended && process_exit_code(&ctx->process) == 128 + SIGKILL &&
           read_kills(oom->above_fd) > oom->kills_above;
}

void oom_check(struct context *ctx)
{
    struct oom *oom = &ctx->oom;

    if (oom->seen || !has_killed(ctx))
        return;
    oom->seen = true;
    message(ctx, LEVEL_INFO, "OOM received");
    make_file(ctx, ctx->options.persist_dir);
    make_file(ctx, ctx->options.bundle);
}

static void counted(struct context *ctx, struct source *source, uint32_t events)
{
    char drop[sizeof(struct inotify_event) + NAME_MAX + 1];

    (void)events;
    if (read(source->fd, drop, sizeof(drop)) <= 0 || ctx->oom.seen)
        loop_close(&ctx->loop, source);
    oom_check(ctx);
}

static bool watch_v2(struct context *ctx, const char *cgroup)
{
    FREE char *path = path_join(cgroup, "memory.events");

    ctx->oom.counter_fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (ctx->oom.counter_fd < 0)
        return false;
    ctx->oom.source.fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    return ctx->oom.source.fd >= 0 && inotify_add_watch(ctx->oom.source.fd, path, IN_MODIFY) >= 0;
}

static bool watch_v1(struct context *ctx, const char *cgroup)
{
    FREE char *oom_control = path_join(cgroup, "memory.oom_control");
    FREE char *event_control = path_join(cgroup, "cgroup.event_control");
    CLOSE_FD int fd = event_control ? open(event_control, O_WRONLY | O_CLOEXEC) : -1;
    char text[32];

    ctx->oom.counter_fd = oom_control ? open(oom_control, O_RDONLY | O_CLOEXEC) : -1;
    ctx->oom.source.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (fd < 0 || ctx->oom.counter_fd < 0 || ctx->oom.source.fd < 0)
        return false;
    snprintf(text, sizeof(text), "%d %d", ctx->oom.source.fd, ctx->oom.counter_fd);
    return write_all(fd, text, strlen(text)) == 0;
}

static bool has_limit(const char *cgroup)
{
    FREE char *path = path_join(cgroup, "memory.max");
    char text[32];

    return path && read_file(path, text, sizeof(text)) > 0 && strncmp(text, "max", 3) != 0;
}

/* Opens the counter of the first cgroup above the container's whose limit may be why one of its processes is killed; if
   the container's own has a limit, that of the first one that counts. `cgroup` is cut. */
static void look_above(struct context *ctx, char *cgroup)
{
    struct oom *oom = &ctx->oom;
    bool limited = has_limit(cgroup);
    char *own = ctx->options.cid ? strstr(cgroup, ctx->options.cid) : NULL;

    if (own) /* libpod-ID.scope/container: both go */
        *own = '\0';
    for (char *slash; oom->above_fd < 0 && (slash = strrchr(cgroup, '/')) > cgroup + sizeof(CGROUP_ROOT) - 1;) {
        *slash = '\0';
        if (!limited && !has_limit(cgroup))
            continue;
        FREE char *path = path_join(cgroup, "memory.events");
        oom->above_fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    }
    oom->kills_above = read_kills(oom->above_fd);
}

void oom_watch(struct context *ctx)
{
    struct oom *oom = &ctx->oom;
    char cgroup[PATH_MAX];
    bool ok = false;

    /* /proc lists v1 hierarchies even if only v2 is mounted in this mount namespace: so try, and go on. */
    if (cgroup_find(ctx->process.container_pid, "memory", cgroup, sizeof(cgroup)))
        ok = watch_v1(ctx, cgroup);
    if (ctx->oom.counter_fd < 0 && cgroup_find(ctx->process.container_pid, "", cgroup, sizeof(cgroup))) {
        close_fd(&oom->source.fd);
        ok = watch_v2(ctx, cgroup);
        look_above(ctx, cgroup);
    }
    if (!ok) {
        /* Keep the counter: it can still be read at the end. */
        message(ctx, LEVEL_DEBUG, "no notice of out-of-memory kills");
        close_fd(&oom->source.fd);
    }
    if (oom->counter_fd >= 0 && ctx->options.exec)
        oom->kills = read_kills(oom->counter_fd); /* kills before this session don't count */
    oom->source.ready = counted;
    loop_watch(&ctx->loop, &oom->source, EPOLLIN);
}
