/* Makes network namespaces without leaving the caller's own. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "syscalls.h"

#define STACK_SIZE (32 * 1024)

struct netns_request {
    const char *path;
    int open_to_all;
    int error; /* 0 or -errno, written by the child into the parent's memory */
};

int podpy_loopback_up(void)
{
    struct ifreq request;
    int error = 0;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 && errno == EAFNOSUPPORT) /* a kernel without IPv4 */
        fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    memset(&request, 0, sizeof request);
    strcpy(request.ifr_name, "lo");
    if (ioctl(fd, SIOCGIFFLAGS, &request) < 0)
        error = -errno;
    request.ifr_flags |= IFF_UP;
    if (!error && ioctl(fd, SIOCSIFFLAGS, &request) < 0)
        error = -errno;
    close(fd);
    return error;
}

static void write_setting(const char *path, const char *value)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    if (write(fd, value, strlen(value)) < 0) {
        /* An old kernel, or too few group ids: the container then lacks ping, but can start. */
    }
    close(fd);
}

static int in_new_netns(void *argument)
{
    struct netns_request *request = argument;
    request->error = podpy_loopback_up();
    if (!request->error && request->open_to_all) {
        write_setting("/proc/sys/net/ipv4/ip_unprivileged_port_start", "0");
        write_setting("/proc/sys/net/ipv4/ping_group_range", "0 65535");
    }
    if (!request->error && mount("/proc/self/ns/net", request->path, NULL, MS_BIND, NULL) < 0)
        request->error = -errno;
    return 0;
}

int podpy_make_netns(const char *path, int open_to_all)
{
    /* The child shares our memory, and we sleep until it has ended (like vfork): nothing is copied, so the cost is only
     * the namespace's. unshare() and setns() back was rejected: another thread, or an error in between, would find the
     * process in the wrong namespace. Signals are blocked meanwhile: no handler may run on the child's stack. */
    struct netns_request request = {.path = path, .open_to_all = open_to_all, .error = 0};
    char stack[STACK_SIZE] __attribute__((aligned(64)));
    sigset_t all, before;
    int status;
    pid_t child;

    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &before);
    child = clone(in_new_netns, stack + sizeof stack, CLONE_VM | CLONE_VFORK | CLONE_NEWNET | SIGCHLD, &request);
    if (child < 0)
        request.error = -errno;
    else
        while (waitpid(child, &status, 0) < 0 && errno == EINTR)
            ;
    sigprocmask(SIG_SETMASK, &before, NULL);
    return request.error;
}
