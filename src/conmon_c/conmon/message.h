/* The monitor's own messages: to stderr (which is the caller's until the monitor is a daemon) and to syslog. */
#ifndef PODPY_CONMON_MESSAGE_H
#define PODPY_CONMON_MESSAGE_H

#include "util.h"

enum level { LEVEL_ERROR, LEVEL_WARN, LEVEL_INFO, LEVEL_DEBUG, LEVEL_TRACE };

struct messages {
    enum level level;
    bool syslog;
    int syslog_fd;
    const char *cid;
};

struct context;

/* Takes conmon 2.1's level names; without a name, warnings and errors are shown. */
int messages_init(struct messages *messages, const char *level, bool syslog, const char *cid, struct error *err);

void message(struct context *ctx, enum level level, const char *format, ...) PRINTF(3, 4);

#endif
