/* podpy-forward: brings the clients of a container's published ports to it, from the host's network namespace into that
 * of the user's bridges, with their own addresses.
 *
 *     podpy-forward --netns FILE --enter FD --ready FD --control FD --target TEXT ["FD PROTOCOL PORT" …]
 *
 * podpy binds the listeners in the host's namespace, where we can't go back to; the connections to the container are
 * made in the other one, from the client's address (IP_TRANSPARENT, ip(7)). A rule of the firewall there leads the
 * container's answers back to us (`socket transparent 1 meta mark set …`, and a local route for that mark).
 *
 * One thread, one epoll, no buffer of our own: what a receiver doesn't take stays with the kernel, and the sender
 * waits. It ends with the container: at the unlink of FILE.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "calls.h"
#include "context.h"
#include "../common/memory.h"
#include "options.h"

static int enter(int fd, struct error *err)
{
    if (fd < 0)
        return 0;
    if (setns(fd, CLONE_NEWNET) < 0)
        return fail(err, "entering the network namespace: %m");
    close(fd);
    return 0;
}

static int listen_all(struct context *ctx, const struct options *options, struct error *err)
{
    for (int i = 0; i < options->listen_count; i++) {
        char *rest = options->listen[i];
        const char *fd = next_word(&rest);
        const char *protocol = next_word(&rest);
        int number;
        if (!parse_number(fd, 1 << 30, &number))
            return fail(err, "a listener is FD PROTOCOL PORT");
        if (listeners_add(ctx, number, protocol, next_word(&rest), err) < 0)
            return -1;
    }
    return 0;
}

static int start(struct context *ctx, struct options *options, struct error *err)
{
    limits_init(&ctx->limits, (unsigned)options->listen_count);
    if (target_parse(&ctx->target, options->target, err) < 0 || loop_init(&ctx->loop, err) < 0 ||
        watch_open(ctx, options->netns, err) < 0 || enter(options->enter_fd, err) < 0 || tcp_init(ctx, err) < 0 ||
        udp_init(ctx, err) < 0 || listeners_init(ctx, err) < 0 || listen_all(ctx, options, err) < 0 ||
        control_open(ctx, options->control_fd, err) < 0)
        return -1;
    return confine(err);
}

static void say(int fd, const char *text)
{
    if (fd >= 0 && write(fd, text, strlen(text)) >= 0)
        close(fd);
}

/* The ports are free again when the caller reads why. */
static void say_why_not(int fd, const struct error *err)
{
    if (fd > STDERR_FILENO + 1)
        close_range(STDERR_FILENO + 1, (unsigned)fd - 1, 0);
    close_range((unsigned)(fd < 0 ? STDERR_FILENO : fd) + 1, ~0U, 0);
    say(fd, err->text);
}

static void say_ready(int fd)
{
    char line[16];

    snprintf(line, sizeof(line), "%d\n", (int)getpid());
    say(fd, line);
}

int main(int argc, char **argv)
{
    static struct context ctx;
    struct options options;
    struct error err;

    if (options_parse(&options, argc, argv, &err) < 0) {
        dprintf(STDERR_FILENO, "podpy-forward: %s\n", err.text);
        return 1;
    }
    /* In the background: whoever started us waits for this process only. */
    pid_t pid = fork();
    if (pid != 0)
        _exit(pid < 0);
    prctl(PR_SET_NAME, "podpy-forward");
    signal(SIGPIPE, SIG_IGN);
    if (start(&ctx, &options, &err) < 0) {
        say_why_not(options.ready_fd, &err);
        return 1;
    }
    say_ready(options.ready_fd);
    memory_give_text_back();
    return loop_run(&ctx, &err) < 0;
}
