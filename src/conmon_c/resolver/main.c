/* podpy-resolver: names on a user's networks, one process for all of them.
 *
 *     resolver DIRECTORY NETNS READY LOCK MOUNTS [RESOLV_CONF]
 *
 * DIRECTORY    the user's networks in the run directory: its folder `names` says who is who (the format is described in
 *              podpy/network/bridge/resolver.py), its file `netns` that the shared network namespace is there
 * NETNS        number of a descriptor of the shared network namespace
 * READY        number of a descriptor: `+` is written when all listeners are open; what is wrong goes to stderr
 * LOCK         number of a descriptor of DIRECTORY/resolver.pid, locked, and kept open: it gets our pid when all
 *              listeners are open
 * MOUNTS       number of a descriptor of the mount namespace to live in, or -1: the caller's may have a container's
 *              mounts, which would stay as long as we do
 * RESOLV_CONF  instead of /etc/resolv.conf
 *
 * It answers on port 53 of every gateway, by UDP and TCP. Its sockets to other servers are in the network namespace
 * that it was started in, the host's: so a server on the host's loopback device can be asked, too. One thread, one
 * event loop, tables of fixed size. Names are read again when a file in the folder has changed, resolv.conf when that
 * has.
 * It ends when `netns` is unlinked.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "calls.h"
#include "context.h"
#include "forward.h"
#include "listen.h"

#define PROCESS_NAME "podpy-resolver"
#define NETNS "netns"

static struct context context;

static _Noreturn void fail(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    exit(1);
}

static int load_names(struct context *ctx)
{
    struct names *names = names_load(ctx->names_fd);

    if (names == NULL)
        return -1; /* no memory: what was known is still better than nothing */
    names_free(ctx->names);
    ctx->names = names;
    return 0;
}

static void take_names(struct context *ctx)
{
    if (load_names(ctx) == 0)
        listeners_update(ctx, NULL);
    else
        ctx->listen_again = now_ms() + RETRY_MS;
}

static _Noreturn void end(void)
{
    exit(0);
}

static void end_without_netns(const struct context *ctx)
{
    if (faccessat(ctx->directory_fd, NETNS, F_OK, 0) < 0)
        end();
}

static void on_change(struct context *ctx, struct source *source, uint32_t events)
{
    char buffer[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
    ssize_t size = read(source->fd, buffer, sizeof buffer);
    bool changed = false;

    (void)events;
    for (ssize_t at = 0; at < size;) {
        const struct inotify_event *event = (const struct inotify_event *)(buffer + at);
        bool is_directory = event->wd == ctx->directory_watch;
        if (is_directory && (event->mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT)))
            end();
        if (is_directory && event->len > 0 && strcmp(event->name, NETNS) == 0)
            end();
        if (event->mask & IN_Q_OVERFLOW)
            end_without_netns(ctx);
        changed |= !is_directory;
        at += (ssize_t)(sizeof *event + event->len);
    }
    if (changed)
        take_names(ctx);
}

/* The watches are set before the names are read: no change is missed. */
static void watch(struct context *ctx, const char *directory)
{
    int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    char names[32];

    if (fd < 0)
        fail("inotify_init1");
    snprintf(names, sizeof names, "/proc/self/fd/%d", ctx->names_fd);
    ctx->directory_watch = inotify_add_watch(fd, directory, IN_DELETE | IN_MOVED_FROM | IN_DELETE_SELF | IN_MOVE_SELF);
    if (ctx->directory_watch < 0
        || inotify_add_watch(fd, names, IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE) < 0)
        fail("inotify_add_watch");
    ctx->events.ready = on_change;
    if (loop_add(ctx, &ctx->events, fd, EPOLLIN) < 0)
        fail("epoll_ctl");
    end_without_netns(ctx);
}

static void write_pid(const struct context *ctx, int lock)
{
    struct stat status;
    char text[64];

    if (fstat(ctx->netns_fd, &status) < 0)
        fail("the network namespace");
    int size = snprintf(text, sizeof text, "%llu %d\n", (unsigned long long)status.st_ino, (int)getpid());
    if (pwrite(lock, text, (size_t)size, 0) != size)
        fail("resolver.pid");
}

static void listen_or_fail(struct context *ctx)
{
    struct address failed = {.family = 0};
    char text[INET6_ADDRSTRLEN] = "";

    if (listeners_update(ctx, &failed) == 0)
        return;
    int error = errno;
    inet_ntop(failed.family, failed.bytes, text, sizeof text);
    fprintf(stderr, "listen on %s port %d: %s\n", text, DNS_PORT, strerror(error));
    exit(1);
}

/* From here on nobody hears us: the descriptors of the caller's pipes would keep its readers waiting. */
static void fall_silent(void)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);

    for (int i = 0; null >= 0 && i <= 2; i++)
        dup2(null, i);
    if (null > 2)
        close(null);
}

static void say_ready(int ready)
{
    if (write(ready, "+", 1) != 1) {
        /* Whoever started us has been killed: others need the names as well. */
    }
    close(ready);
}

static void reset(void)
{
    struct rlimit limit;
    sigset_t none;

    for (int number = 1; number < NSIG; number++)
        signal(number, SIG_DFL);
    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    prctl(PR_SET_NAME, PROCESS_NAME);
}

/* Leaves the caller's mount namespace, if the directory is the same in the other one: it isn't where the caller sees
   other mounts than the rest of the system does, or where a process has the number of a holder that has ended. */
static void move(const char *directory, int mounts)
{
    int own = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
    struct stat here, there;

    if (own < 0 || stat(directory, &here) < 0)
        fail(directory);
    if (setns(mounts, CLONE_NEWNS) == 0
        && (stat(directory, &there) < 0 || here.st_dev != there.st_dev || here.st_ino != there.st_ino)
        && setns(own, CLONE_NEWNS) < 0)
        fail("setns");
    close(own);
}

static void start(struct context *ctx, char **argv)
{
    int lock = atoi(argv[4]), mounts = atoi(argv[5]);

    if (mounts >= 0) {
        move(argv[1], mounts);
        close(mounts);
    }
    ctx->directory_fd = open(argv[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ctx->names_fd = ctx->directory_fd < 0 ? -1 : openat(ctx->directory_fd, "names", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (ctx->names_fd < 0)
        fail(argv[1]);
    ctx->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (ctx->epoll_fd < 0)
        fail("epoll_create1");
    watch(ctx, argv[1]);
    if (load_names(ctx) < 0)
        fail("names");
    listen_or_fail(ctx);
    write_pid(ctx, lock);
    if (chdir("/") < 0)
        fail("chdir");
}

/* The first of some deadlines, of which 0 is none. */
static int64_t earlier(int64_t one, int64_t other)
{
    return one == 0 || (other != 0 && other < one) ? other : one;
}

static int time_to_wait(struct context *ctx)
{
    int64_t now = now_ms();

    if (ctx->pending_count == 0 && ctx->client_count == 0 && ctx->listen_again == 0)
        return -1;
    if (ctx->listen_again != 0 && ctx->listen_again <= now)
        take_names(ctx);
    int64_t next = earlier(earlier(forward_expire(ctx, now), clients_expire(ctx, now)), ctx->listen_again);
    if (next == 0)
        return -1;
    return next > now ? (int)(next - now) : 0;
}

int main(int argc, char **argv)
{
    struct context *ctx = &context;
    int ready;

    if (argc < 6)
        return 2;
    ctx->netns_fd = atoi(argv[2]);
    ready = atoi(argv[3]);
    ctx->upstreams.path = argc > 6 ? argv[6] : "/etc/resolv.conf";
    /* A grandchild of the caller: a library caller's wait for any child never finds it. */
    pid_t child = fork();
    if (child < 0)
        fail("fork");
    if (child > 0)
        return 0;
    reset();
    start(ctx, argv);
    fall_silent();
    confine();
    say_ready(ready);
    for (;;)
        loop_step(ctx, time_to_wait(ctx));
}
