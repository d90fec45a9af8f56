#define _GNU_SOURCE
#include "limits.h"

#include <sys/resource.h>

#define MOST_LISTENERS 131072 /* all ports of TCP and UDP, but not of both families */
#define MOST_CONNECTIONS 32768
#define MOST_FLOWS 8192
#ifndef MOST_PIPES
#define MOST_PIPES 256 /* of 16 pages each: a quarter of what a user may have (pipe(7), pipe-user-pages-soft) */
#endif
#define OWN 32 /* descriptors of the process itself: epoll, inotify, control */

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

void limits_init(struct limits *limits, unsigned listeners)
{
    struct rlimit files = {.rlim_cur = 1024, .rlim_max = 1024};

    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    unsigned all = files.rlim_max > 1 << 24 ? 1 << 24 : (unsigned)files.rlim_max;
    unsigned rest = all > OWN + listeners ? all - OWN - listeners : 0;
    unsigned flows = least(rest / 8, MOST_FLOWS);
    unsigned pipes = least(rest / 16, MOST_PIPES);
    unsigned connections = least((rest - flows - 2 * pipes) / 2, MOST_CONNECTIONS); /* two sockets each */
    limits->listeners = MOST_LISTENERS;
    limits->pipes = pipes;
    limits->flows = flows > 0 ? flows : 1;
    limits->connections = connections > 0 ? connections : 1;
}
