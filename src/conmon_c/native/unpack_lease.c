/* Files that another process has a lease on (fcntl(2), F_SETLEASE): Samba, and NFS servers, take them. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <time.h>

#include "unpack.h"

#define PAUSE_NS 10000000L
#define MOST_PAUSES 9000 /* 90 s; the kernel takes a lease away after 45 (/proc/sys/fs/lease-break-time) */

bool lease_wait(unsigned *pauses)
{
    struct timespec pause = { .tv_nsec = PAUSE_NS };
    if (errno != EAGAIN || (*pauses)++ == MOST_PAUSES)
        return false;
    nanosleep(&pause, NULL);
    return true;
}

int lease_open(int parent, const char *name, int flags)
{
    unsigned pauses = 0;
    int file;
    do
        file = openat(parent, name, flags);
    while (file < 0 && lease_wait(&pauses));
    return file;
}
