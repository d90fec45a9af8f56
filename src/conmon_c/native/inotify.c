/* inotify(7): Python has no binding for it. Both return a descriptor or -errno. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <sys/inotify.h>

#include "inotify.h"

int podpy_inotify_init(void)
{
    int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    return fd < 0 ? -errno : fd;
}

int podpy_inotify_add_watch(int fd, const char *path, uint32_t mask)
{
    int watch = inotify_add_watch(fd, path, mask);
    return watch < 0 ? -errno : watch;
}
