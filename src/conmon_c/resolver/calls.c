#define _GNU_SOURCE
#include "calls.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "../common/confine.h"
#include "address.h"

#define WRITING (O_ACCMODE | O_CREAT | O_TRUNC)
#define CHILD (CLONE_VM | CLONE_VFORK | CLONE_FILES | SIGCHLD)

static const struct rule rules[] = {
    ALWAYS(epoll_pwait),
#ifdef SYS_epoll_wait
    ALWAYS(epoll_wait),
#endif
    ALWAYS(epoll_ctl),
    ALWAYS(recvfrom),
    ALWAYS(sendto),
    ALWAYS(sendmsg),
    ALWAYS(accept4),
    ALWAYS(bind),
    ALWAYS(listen),
    ALWAYS(connect),
    ALWAYS(setsockopt),
    ALWAYS(read),
    ALWAYS(write), /* that it is ready */
    ALWAYS(close),
    ALWAYS(fstat),
    ALWAYS(newfstatat),
    ALWAYS(statx),
    ALWAYS(faccessat),
    ALWAYS(lseek),
    ALWAYS(getdents64),
    ALWAYS(getrandom),
    ALWAYS(clock_gettime),
    ALWAYS(wait4),
    ALWAYS(brk),
    ALWAYS(munmap),
    ALWAYS(mremap),
    ALWAYS(madvise),
    ALWAYS(futex),
    ALWAYS(fcntl),
    ALWAYS(getpid),
    ALWAYS(gettid),
    ALWAYS(rt_sigprocmask),
    ALWAYS(rt_sigreturn),
    ALWAYS(restart_syscall),
    ALWAYS(exit),
    ALWAYS(exit_group),
    {SYS_socket, {{0, WHOLE, AF_INET}}},
    {SYS_socket, {{0, WHOLE, AF_INET6}}},
    {SYS_socket, {{0, WHOLE, AF_UNIX}}}, /* if_nametoindex asks by one: for the zone of a link-local server */
    {SYS_ioctl, {{1, WHOLE, SIOCGIFINDEX}}},
    {SYS_openat, {{2, WRITING, 0}}}, /* files are read only */
    {SYS_mmap, {{2, PROT_EXEC, 0}}},
    {SYS_mprotect, {{2, PROT_EXEC, 0}}},
    {SYS_clone, {{0, WHOLE, CHILD}}},
    {SYS_setns, {{1, WHOLE, CLONE_NEWNET}}},
};

void confine(void)
{
    /* Port 53; setns(). Each of these fails by itself: there are still the other barriers. */
    confine_rights(1ULL << CAP_NET_BIND_SERVICE | 1ULL << CAP_SYS_ADMIN);
    confine_calls(rules, COUNT(rules));
}
