/* --sdnotify-socket: a socket for the container in BUNDLE/notify; harmless messages are relayed to the host's
   socket. */
#ifndef PODPY_CONMON_NOTIFY_H
#define PODPY_CONMON_NOTIFY_H

#include <sys/socket.h>
#include <sys/un.h>

#include "loop.h"

struct notify {
    struct source source;
    int host_fd;
    struct sockaddr_un host;
    socklen_t host_size;
};

int notify_open(struct context *ctx, struct error *err);

#endif
