#ifndef PODPY_INOTIFY_H
#define PODPY_INOTIFY_H

#include <stdint.h>

int podpy_inotify_init(void);
int podpy_inotify_add_watch(int fd, const char *path, uint32_t mask);

#endif
