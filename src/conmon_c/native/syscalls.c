/* System calls that Python's `os` lacks, one function each, named like the call.
 *
 * Each returns the call's result, or -errno: so Python needs no second call for the reason, and threads can't get each
 * other's errno. cffi releases the GIL around each call.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/capability.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "syscalls.h"

/* Numbers of newer calls, which are the same on every architecture; older kernel headers lack some of them. */
#ifndef SYS_open_tree
#define SYS_open_tree 428
#define SYS_move_mount 429
#endif
#ifndef SYS_mount_setattr
#define SYS_mount_setattr 442
#endif
#ifndef SYS_openat2
#define SYS_openat2 437
#endif

#define MOST_TRIES 128 /* of an openat2 that others disturb */

struct open_how_v0 {
    uint64_t flags;
    uint64_t mode;
    uint64_t resolve;
};

static int result(long value)
{
    return value < 0 ? -errno : (int)value;
}

int podpy_mount(const char *source, const char *target, const char *fstype, unsigned long flags, const char *data)
{
    return result(mount(source, target, fstype, flags, data));
}

int podpy_umount2(const char *target, int flags)
{
    return result(umount2(target, flags));
}

int podpy_unshare(int flags)
{
    return result(unshare(flags));
}

int podpy_setns(int fd, int nstype)
{
    return result(setns(fd, nstype));
}

int podpy_openat2(int dirfd, const char *path, uint64_t flags, uint64_t mode, uint64_t resolve)
{
    struct open_how_v0 how = {.flags = flags, .mode = mode, .resolve = resolve};
    long descriptor = -1;

    /* EAGAIN: something, anywhere, was renamed or mounted while a ".." was followed (openat2(2)). */
    for (int tries = 0; tries < MOST_TRIES; tries++) {
        descriptor = syscall(SYS_openat2, dirfd, path, &how, sizeof how);
        if (descriptor >= 0 || errno != EAGAIN)
            break;
    }
    return result(descriptor);
}

int podpy_prctl(int option, unsigned long arg2, unsigned long arg3, unsigned long arg4, unsigned long arg5)
{
    return result(prctl(option, arg2, arg3, arg4, arg5));
}

int podpy_syncfs(int fd)
{
    return result(syncfs(fd));
}

int podpy_renameat2(int old_dirfd, const char *old_path, int new_dirfd, const char *new_path, unsigned int flags)
{
    return result(syscall(SYS_renameat2, old_dirfd, old_path, new_dirfd, new_path, flags));
}

long podpy_statfs_type(const char *path)
{
    struct statfs buffer;
    if (statfs(path, &buffer) < 0)
        return -errno;
    return (long)((unsigned long)buffer.f_type & 0xffffffffUL);
}

int podpy_open_tree(int dirfd, const char *path, unsigned int flags)
{
    return result(syscall(SYS_open_tree, dirfd, path, flags));
}

int podpy_move_mount(int from_dirfd, const char *from_path, int to_dirfd, const char *to_path, unsigned int flags)
{
    return result(syscall(SYS_move_mount, from_dirfd, from_path, to_dirfd, to_path, flags));
}

int podpy_mount_setattr(int dirfd, const char *path, unsigned int flags, uint64_t set, uint64_t clear)
{
    struct { /* mount_setattr(2): MOUNT_ATTR_SIZE_VER0 */
        uint64_t attr_set;
        uint64_t attr_clr;
        uint64_t propagation;
        uint64_t userns_fd;
    } attributes = { .attr_set = set, .attr_clr = clear };
    return result(syscall(SYS_mount_setattr, dirfd, path, flags, &attributes, sizeof attributes));
}

int podpy_effective_capabilities(uint64_t *set)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];
    memset(data, 0, sizeof data);
    if (syscall(SYS_capget, &header, data) < 0)
        return -errno;
    *set = (uint64_t)data[1].effective << 32 | data[0].effective;
    return 0;
}
