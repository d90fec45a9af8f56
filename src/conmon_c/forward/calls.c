#define _GNU_SOURCE
#include "calls.h"

#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../common/confine.h"
#include "context.h"

#define STACK 8192
#define FLAGS (SOCK_NONBLOCK | SOCK_CLOEXEC)

/* Without `openat`, `execve`, `clone`, `ptrace`, `mmap` with a file behind it, `ioctl`, `setns`. */
static const struct rule rules[] = {
    ALWAYS(accept4), ALWAYS(bind), ALWAYS(brk), ALWAYS(clock_gettime), ALWAYS(close), ALWAYS(connect),
    ALWAYS(epoll_ctl), ALWAYS(epoll_pwait), ALWAYS(exit), ALWAYS(exit_group), ALWAYS(fcntl), ALWAYS(getegid),
    ALWAYS(geteuid), ALWAYS(getpid), ALWAYS(getsockname), ALWAYS(getsockopt), ALWAYS(gettid), ALWAYS(listen),
    ALWAYS(madvise), ALWAYS(munmap), ALWAYS(pipe2), ALWAYS(read), ALWAYS(recvfrom), ALWAYS(recvmmsg), ALWAYS(recvmsg),
    ALWAYS(restart_syscall), ALWAYS(rt_sigreturn), ALWAYS(sendmsg), ALWAYS(sendto), ALWAYS(setsockopt),
    ALWAYS(shutdown), ALWAYS(splice), ALWAYS(tgkill), ALWAYS(write),
#ifdef SYS_epoll_wait
    ALWAYS(epoll_wait),
#endif
    {SYS_socket, {{0, WHOLE, AF_INET}, {1, WHOLE, SOCK_STREAM | FLAGS}}},
    {SYS_socket, {{0, WHOLE, AF_INET}, {1, WHOLE, SOCK_DGRAM | FLAGS}}},
    {SYS_socket, {{0, WHOLE, AF_INET6}, {1, WHOLE, SOCK_STREAM | FLAGS}}},
    {SYS_socket, {{0, WHOLE, AF_INET6}, {1, WHOLE, SOCK_DGRAM | FLAGS}}},
};

/* chroot(2) into a directory that nobody can fill: /proc/SELF/fdinfo of a process that has ended. It shares our file
   system context, so its root is ours, too. */
static int enter_own_proc(void *unused)
{
    (void)unused;
    return chroot("/proc/self/fdinfo") < 0 || chdir("/") < 0;
}

static void leave_files(void)
{
    static _Alignas(16) char stack[STACK];
    int status;
    pid_t pid = clone(enter_own_proc, stack + sizeof(stack), CLONE_FS | CLONE_VM | CLONE_VFORK | SIGCHLD, NULL);

    /* Without CAP_SYS_CHROOT or /proc there is no such root; the filter still has no call that opens a file. */
    if (pid > 0)
        waitpid(pid, &status, 0);
}

/* The user whose namespaces it is in has CAP_SYS_PTRACE there, so podpy still finds the network namespace by
   /proc/PID/ns/net. */
int confine(struct error *err)
{
    leave_files();
    if (confine_rights(1ULL << CAP_NET_RAW) < 0)
        return fail(err, "giving up rights: %m");
    return confine_calls(rules, COUNT(rules)) < 0 ? fail(err, "seccomp: %m") : 0;
}
