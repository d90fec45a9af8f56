#define _GNU_SOURCE
#include "message.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "context.h"

static const struct {
    const char *name;
    enum level level;
} level_names[] = {
    {"fatal", LEVEL_ERROR}, {"panic", LEVEL_ERROR}, {"error", LEVEL_ERROR}, {"warn", LEVEL_WARN},
    {"warning", LEVEL_WARN}, {"info", LEVEL_INFO}, {"debug", LEVEL_DEBUG}, {"trace", LEVEL_TRACE},
};

int messages_init(struct messages *messages, const char *level, bool syslog, const char *cid, struct error *err)
{
    messages->level = LEVEL_WARN;
    messages->syslog = syslog;
    messages->syslog_fd = -1;
    messages->cid = cid;
    if (level == NULL)
        return 0;
    for (size_t i = 0; i < COUNT(level_names); i++) {
        if (strcmp(level_names[i].name, level) == 0) {
            messages->level = level_names[i].level;
            return 0;
        }
    }
    return fail(err, "No such log level %s", level);
}

/* Not syslog(3), which needs locale, time zone and a heap: the protocol is one datagram. */
static void send_to_syslog(struct messages *messages, enum level level, const char *text)
{
    static const int severity[] = {3, 4, 6, 7, 7};
    struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/dev/log"};
    char line[1280];

    if (messages->syslog_fd < 0)
        messages->syslog_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int n = snprintf(line, sizeof(line), "<%d>conmon: conmon %.20s: %s", 8 * 3 + severity[level], messages->cid, text);
    if (n > (int)sizeof(line) - 1)
        n = sizeof(line) - 1;
    sendto(messages->syslog_fd, line, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&address,
           sizeof(address));
}

void message(struct context *ctx, enum level level, const char *format, ...)
{
    int saved = errno;
    char text[1152];
    va_list args;

    if (level > ctx->messages.level)
        return;
    int head = snprintf(text, sizeof(text), "[conmon:%c]: ", "ewidt"[level]);
    va_start(args, format);
    errno = saved;
    int n = vsnprintf(text + head, sizeof(text) - (size_t)head - 1, format, args);
    va_end(args);
    if (ctx->messages.syslog)
        send_to_syslog(&ctx->messages, level, text + head);
    size_t length = (size_t)head + (size_t)n;
    if (length > sizeof(text) - 2)
        length = sizeof(text) - 2;
    text[length] = '\n';
    ssize_t written = write(STDERR_FILENO, text, length + 1);
    (void)written; /* a failure can't be reported */
    errno = saved;
}
