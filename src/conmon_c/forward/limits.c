#define _GNU_SOURCE
#include "limits.h"

#include <sys/resource.h>

#define MOST_LISTENERS 131072 /* all ports of TCP and UDP, but not of both families */
#define MOST_CONNECTIONS 32768
#define MOST_FLOWS 8192
#define OWN 48     /* descriptors of the process itself: epoll, inotify, control, spare pipes */
#define PER_CLIENT 6 /* two sockets, and a pipe for each way while it's blocked */

void limits_init(struct limits *limits, unsigned listeners)
{
    struct rlimit files = {.rlim_cur = 1024, .rlim_max = 1024};

    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    unsigned all = files.rlim_max > 1 << 24 ? 1 << 24 : (unsigned)files.rlim_max;
    unsigned rest = all > OWN + listeners ? all - OWN - listeners : 0;
    unsigned flows = rest / 4 < MOST_FLOWS ? rest / 4 : MOST_FLOWS;
    unsigned connections = (rest - flows) / PER_CLIENT;
    limits->listeners = MOST_LISTENERS;
    limits->flows = flows > 0 ? flows : 1;
    limits->connections = connections == 0 ? 1 : connections < MOST_CONNECTIONS ? connections : MOST_CONNECTIONS;
}
