#define _GNU_SOURCE
#include "confine.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#if defined __x86_64__
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined __aarch64__
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

#define STACK 8192

/* Without `openat`, `execve`, `clone`, `ptrace`, `mmap` with a file behind it, `ioctl`, `setns`; `socket` has a check
   of its own. */
static const int allowed[] = {
    SYS_accept4, SYS_bind, SYS_brk, SYS_clock_gettime, SYS_close, SYS_connect, SYS_epoll_ctl, SYS_epoll_pwait,
#ifdef SYS_epoll_wait
    SYS_epoll_wait,
#endif
    SYS_exit, SYS_exit_group, SYS_fcntl, SYS_getegid, SYS_geteuid, SYS_getpid, SYS_getsockname, SYS_getsockopt,
    SYS_gettid, SYS_listen, SYS_madvise, SYS_munmap, SYS_pipe2, SYS_read, SYS_recvfrom, SYS_recvmmsg, SYS_recvmsg,
    SYS_restart_syscall, SYS_rt_sigreturn, SYS_sendmsg, SYS_sendto, SYS_setsockopt, SYS_shutdown, SYS_splice,
    SYS_tgkill, SYS_write,
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

static int keep_capability(int wanted)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {{0}};

    if (syscall(SYS_capget, &header, data) < 0)
        return -1;
    for (int i = 0; i < 2; i++) {
        uint32_t part = (uint32_t)(1ULL << wanted >> (32 * i));
        data[i].effective &= part;
        data[i].permitted &= part;
        data[i].inheritable = 0;
    }
    return (int)syscall(SYS_capset, &header, data);
}

#if defined ARCHITECTURE && !defined __SANITIZE_ADDRESS__ /* the sanitizer needs more calls */
#define LOAD(field) ((struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field)))
#define RETURN(value) ((struct sock_filter)BPF_STMT(BPF_RET | BPF_K, value))
#define IS(value, yes, no) ((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)(value), yes, no))

_Static_assert(COUNT(allowed) < 200, "a jump of BPF fits");

/* Not a kill for others: a C library may try a new call first, and fall back after ENOSYS. */
static int filter_calls(struct error *err)
{
    struct sock_filter filter[COUNT(allowed) + 16];
    unsigned short used = 0;
    unsigned char count = COUNT(allowed);

    filter[used++] = LOAD(arch);
    filter[used++] = IS(ARCHITECTURE, 1, 0);
    filter[used++] = RETURN(SECCOMP_RET_KILL_PROCESS);
    filter[used++] = LOAD(nr);
    for (unsigned char i = 0; i < count; i++) /* to the last line */
        filter[used++] = IS(allowed[i], (unsigned char)(count - i + 7), 0);
    filter[used++] = IS(SYS_socket, 0, 6);
    filter[used++] = LOAD(args[0]);
    filter[used++] = IS(AF_INET, 1, 0);
    filter[used++] = IS(AF_INET6, 0, 3);
    filter[used++] = LOAD(args[1]);
    filter[used++] = IS(SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 2, 0);
    filter[used++] = IS(SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 1, 0);
    filter[used++] = RETURN(SECCOMP_RET_ERRNO | ENOSYS);
    filter[used++] = RETURN(SECCOMP_RET_ALLOW);
    struct sock_fprog program = {.len = used, .filter = filter};
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) < 0)
        return fail(err, "seccomp: %m");
    return 0;
}
#else
static int filter_calls(struct error *err)
{
    (void)err;
    (void)allowed;
    return 0;
}
#endif

/* Not dumpable: nobody reads its memory, or traces it. The user whose namespaces it is in has CAP_SYS_PTRACE there, so
   podpy still finds the network namespace by /proc/PID/ns/net. */
int confine(struct error *err)
{
    leave_files();
    if (keep_capability(CAP_NET_RAW) < 0)
        return fail(err, "capset: %m");
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
        return fail(err, "prctl: %m");
    return filter_calls(err);
}
