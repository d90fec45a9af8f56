#ifndef PODPY_SYSCALLS_H
#define PODPY_SYSCALLS_H

#include <stdint.h>

/* Each returns the call's result, or -errno. */
int podpy_mount(const char *source, const char *target, const char *fstype, unsigned long flags, const char *data);
int podpy_umount2(const char *target, int flags);
int podpy_unshare(int flags);
int podpy_setns(int fd, int nstype);
int podpy_openat2(int dirfd, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve);
int podpy_prctl(int option, unsigned long arg2, unsigned long arg3, unsigned long arg4, unsigned long arg5);
int podpy_syncfs(int fd);
int podpy_renameat2(int old_dirfd, const char *old_path, int new_dirfd, const char *new_path, unsigned int flags);

/* Returns the f_type of statfs(2) (a positive number of 32 bits), or -errno. */
long podpy_statfs_type(const char *path);

int podpy_open_tree(int dirfd, const char *path, unsigned int flags);
int podpy_move_mount(int from_dirfd, const char *from_path, int to_dirfd, const char *to_path, unsigned int flags);
int podpy_mount_setattr(int dirfd, const char *path, unsigned int flags, uint64_t set, uint64_t clear);
int podpy_effective_capabilities(uint64_t *set);

/* netns.c. Brings up the loopback device of the calling thread's network namespace. */
int podpy_loopback_up(void);

/* What a new network namespace is set up for: a set of these. */
enum {
    PODPY_NETNS_OPEN_TO_ALL = 1, /* low ports and ping need no capability */
    PODPY_NETNS_NEIGHBOURS = 2,  /* it will be on a bridge with others, who aren't trusted */
    PODPY_NETNS_ROUTER = 4,      /* it forwards between its devices; an error if it may not */
    PODPY_NETNS_BY_PASTA = 8,    /* its connections end in a pasta that takes less than the window it offers */
};

/* netns.c. Makes a network namespace with its loopback device up, and bind-mounts it at `path` (an existing file); the
 * caller stays in its own. */
int podpy_make_netns(const char *path, int kind);

/* netns.c. Begins to make one without a mount, in a thread: it takes the kernel 0.7 ms, in which the caller goes on.
 * `podpy_finish_netns` waits for that thread's end, once, and gives the memory back. The namespace is there as long as
 * somebody has the first descriptor in `made`, or is in it; the second one is a socket of rtnetlink(7) in it. It returns
 * 0, or -errno and none. NULL: there is no memory. */
void *podpy_begin_netns(int kind);
int podpy_finish_netns(void *begun, int made[2]);

/* netns.c. socket(2) in the network namespace that the descriptor `netns` is of (SOCK_CLOEXEC is added), once for each
 * of the protocols. The caller needs CAP_SYS_ADMIN over it, and stays in its own. Returns 0 and the descriptors in
 * `made`, or -errno and none. */
int podpy_netns_sockets(int netns, int family, int type, const int *protocols, int count, int *made);

#endif
