#define _GNU_SOURCE
#include "terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#include "context.h"

/* Chooses a path that fits into a socket address, since the runtime connects by it: in the bundle if that is short
   enough. */
static void choose_path(struct context *ctx)
{
    char *path = ctx->terminal.socket_path;
    size_t size = sizeof(ctx->terminal.socket_path);
    const char *directory = getenv("TMPDIR");
    uint64_t random = 0;

    if (ctx->options.bundle != NULL &&
        (size_t)snprintf(path, size, "%s/console.%d", ctx->options.bundle, (int)getpid()) < size)
        return;
    if (getrandom(&random, sizeof(random), GRND_NONBLOCK) < 0)
        random = (uint64_t)now_ms();
    if (directory == NULL || strlen(directory) > 60)
        directory = "/tmp";
    snprintf(path, size, "%s/conmon-term.%d-%016llx", directory, (int)getpid(), (unsigned long long)random);
}

static int receive_fd(int connection, struct error *err)
{
    char data[256];
    union {
        struct cmsghdr header;
        char space[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct iovec part = {data, sizeof(data)};
    struct msghdr packet = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control,
                            .msg_controllen = sizeof(control)};
    ssize_t n;
    int fd;

    do
        n = recvmsg(connection, &packet, MSG_CMSG_CLOEXEC);
    while (n < 0 && errno == EINTR);
    struct cmsghdr *header = n < 0 ? NULL : CMSG_FIRSTHDR(&packet);
    if (header == NULL || header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS ||
        header->cmsg_len != CMSG_LEN(sizeof(int)))
        return fail(err, "the runtime sent no terminal on the console socket");
    memcpy(&fd, CMSG_DATA(header), sizeof(fd));
    return fd;
}

static void apply_size(struct terminal *terminal)
{
    struct winsize size = {.ws_row = terminal->rows, .ws_col = terminal->columns};

    if (terminal->size_asked && terminal->master >= 0)
        ioctl(terminal->master, TIOCSWINSZ, &size);
}

static int take_terminal(struct context *ctx, int master, struct error *err)
{
    struct termios settings;
    int output = fcntl(master, F_DUPFD_CLOEXEC, 3);
    int input = fcntl(master, F_DUPFD_CLOEXEC, 3);

    ctx->terminal.master = master;
    if (output < 0 || input < 0)
        return fail(err, "dup of the terminal: %m");
    fcntl(master, F_SETFL, O_RDWR | O_NONBLOCK); /* for the open file, so for its duplicates, too */
    /* "\n" becomes "\r\n", as users of conmon 2.1 (Kubernetes) expect. */
    if (tcgetattr(master, &settings) == 0) {
        settings.c_oflag |= ONLCR;
        tcsetattr(master, TCSANOW, &settings);
    }
    apply_size(&ctx->terminal);
    output_set_terminal(ctx, output);
    input_set(ctx, input);
    return 0;
}

static void connected(struct context *ctx, struct source *source, uint32_t events)
{
    CLOSE_FD int connection = accept4(source->fd, NULL, NULL, SOCK_CLOEXEC);
    struct error err;

    (void)events;
    if (connection < 0)
        return;
    int master = receive_fd(connection, &err);
    if (master < 0 || take_terminal(ctx, master, &err) < 0)
        message(ctx, LEVEL_ERROR, "%s", err.text);
    unlink(ctx->terminal.socket_path);
    loop_close(&ctx->loop, source);
}

bool terminal_parse_size(const char *text, int *rows, int *columns)
{
    int first, second, length = 0;

    if (sscanf(text, "%4dx%4d%n", &first, &second, &length) != 2 || text[length] != '\0' || first < 0 || second < 0 ||
        first > TERMINAL_SIZE_MAX || second > TERMINAL_SIZE_MAX)
        return false;
    if (rows != NULL)
        *rows = first;
    if (columns != NULL)
        *columns = second;
    return true;
}

int terminal_open(struct context *ctx, struct error *err)
{
    struct terminal *terminal = &ctx->terminal;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int rows, columns;

    terminal->master = -1;
    terminal->listener.fd = -1;
    terminal->listener.ready = connected;
    if (!ctx->options.terminal)
        return 0;
    if (ctx->options.console_size != NULL && terminal_parse_size(ctx->options.console_size, &rows, &columns))
        terminal_resize(ctx, rows, columns);
    choose_path(ctx);
    memcpy(address.sun_path, terminal->socket_path, sizeof(address.sun_path));
    terminal->listener.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    /* The umask is set before the file is created: nobody else can ever connect. */
    if (terminal->listener.fd < 0 || fchmod(terminal->listener.fd, 0700) < 0 ||
        bind(terminal->listener.fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
        listen(terminal->listener.fd, 2) < 0 || loop_watch(&ctx->loop, &terminal->listener, EPOLLIN) < 0)
        return fail(err, "console socket %s: %m", terminal->socket_path);
    return 0;
}

int terminal_check(struct context *ctx, struct error *err)
{
    if (!ctx->options.terminal)
        return 0;
    /* We may see the runtime's end before its connection. */
    if (ctx->terminal.master < 0 && ctx->terminal.listener.fd >= 0)
        connected(ctx, &ctx->terminal.listener, EPOLLIN);
    return ctx->terminal.master < 0 ? fail(err, "Runtime did not set up terminal") : 0;
}

void terminal_resize(struct context *ctx, int rows, int columns)
{
    ctx->terminal.rows = (unsigned short)rows;
    ctx->terminal.columns = (unsigned short)columns;
    ctx->terminal.size_asked = true;
    apply_size(&ctx->terminal);
}

void terminal_close(struct context *ctx)
{
    if (ctx->terminal.listener.fd >= 0)
        unlink(ctx->terminal.socket_path);
    loop_close(&ctx->loop, &ctx->terminal.listener);
}
