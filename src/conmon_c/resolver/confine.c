#define _GNU_SOURCE
#include "confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "address.h"

#if defined __x86_64__
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined __aarch64__
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#define ARCHITECTURE 0
#endif

#ifdef __SANITIZE_ADDRESS__
enum { FILTERS = 0 }; /* the sanitizers' reports need more than the resolver does */
#else
enum { FILTERS = ARCHITECTURE != 0 };
#endif

#define WHOLE UINT32_MAX
#define WRITING (O_ACCMODE | O_CREAT | O_TRUNC)
#define CHILD (CLONE_VM | CLONE_VFORK | CLONE_FILES | SIGCHLD)

/* A call that is allowed when an argument has this value; `mask` 0: always. */
struct rule {
    uint32_t call;
    uint32_t argument;
    uint32_t mask;
    uint32_t value;
};

static const struct rule rules[] = {
    {SYS_epoll_pwait, 0, 0, 0},
#ifdef SYS_epoll_wait
    {SYS_epoll_wait, 0, 0, 0},
#endif
    {SYS_epoll_ctl, 0, 0, 0},
    {SYS_recvfrom, 0, 0, 0},
    {SYS_sendto, 0, 0, 0},
    {SYS_sendmsg, 0, 0, 0},
    {SYS_accept4, 0, 0, 0},
    {SYS_bind, 0, 0, 0},
    {SYS_listen, 0, 0, 0},
    {SYS_connect, 0, 0, 0},
    {SYS_setsockopt, 0, 0, 0},
    {SYS_read, 0, 0, 0},
    {SYS_write, 0, 0, 0}, /* that it is ready */
    {SYS_close, 0, 0, 0},
    {SYS_fstat, 0, 0, 0},
    {SYS_newfstatat, 0, 0, 0},
    {SYS_statx, 0, 0, 0},
    {SYS_faccessat, 0, 0, 0},
    {SYS_lseek, 0, 0, 0},
    {SYS_getdents64, 0, 0, 0},
    {SYS_getrandom, 0, 0, 0},
    {SYS_clock_gettime, 0, 0, 0},
    {SYS_wait4, 0, 0, 0},
    {SYS_brk, 0, 0, 0},
    {SYS_munmap, 0, 0, 0},
    {SYS_mremap, 0, 0, 0},
    {SYS_madvise, 0, 0, 0},
    {SYS_futex, 0, 0, 0},
    {SYS_fcntl, 0, 0, 0},
    {SYS_getpid, 0, 0, 0},
    {SYS_gettid, 0, 0, 0},
    {SYS_rt_sigprocmask, 0, 0, 0},
    {SYS_rt_sigreturn, 0, 0, 0},
    {SYS_restart_syscall, 0, 0, 0},
    {SYS_exit, 0, 0, 0},
    {SYS_exit_group, 0, 0, 0},
    {SYS_socket, 0, WHOLE, AF_INET},
    {SYS_socket, 0, WHOLE, AF_INET6},
    {SYS_socket, 0, WHOLE, AF_UNIX}, /* if_nametoindex asks by one: for the zone of a link-local server */
    {SYS_ioctl, 1, WHOLE, SIOCGIFINDEX},
    {SYS_openat, 2, WRITING, 0}, /* files are read only */
    {SYS_mmap, 2, PROT_EXEC, 0},
    {SYS_mprotect, 2, PROT_EXEC, 0},
    {SYS_clone, 0, WHOLE, CHILD},
    {SYS_setns, 1, WHOLE, CLONE_NEWNET},
};

enum { FIXED = 8, PER_RULE = 6 };

#define LOAD(member) (struct sock_filter) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, member)
#define RETURN(action) (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, action)
#define IF_EQUAL(value, then, otherwise) \
    (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(value), then, otherwise)

/* Arguments are 64 bits wide, of which the lower half counts here: all of these are ints, or flags far below it. */
static size_t add_rule(struct sock_filter *at, const struct rule *rule)
{
    size_t low = offsetof(struct seccomp_data, args) + 8 * rule->argument; /* both machines are little-endian */
    size_t used = 0;

    if (rule->mask == 0) {
        at[used++] = IF_EQUAL(rule->call, 0, 1);
        at[used++] = RETURN(SECCOMP_RET_ALLOW);
        return used;
    }
    at[used++] = IF_EQUAL(rule->call, 0, 5);
    at[used++] = LOAD((uint32_t)low);
    at[used++] = (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, rule->mask);
    at[used++] = IF_EQUAL(rule->value, 0, 1);
    at[used++] = RETURN(SECCOMP_RET_ALLOW);
    at[used++] = LOAD(offsetof(struct seccomp_data, nr));
    return used;
}

static void filter_calls(void)
{
    struct sock_filter filter[FIXED + PER_RULE * COUNT(rules)];
    size_t used = 0;

    filter[used++] = LOAD(offsetof(struct seccomp_data, arch));
    filter[used++] = IF_EQUAL(ARCHITECTURE, 1, 0);
    filter[used++] = RETURN(SECCOMP_RET_KILL_PROCESS);
    filter[used++] = LOAD(offsetof(struct seccomp_data, nr));
    for (size_t i = 0; i < COUNT(rules); i++)
        used += add_rule(filter + used, &rules[i]);
    /* Not a kill: a future C library may try a new call first, and fall back to the old one after ENOSYS. */
    filter[used++] = RETURN(SECCOMP_RET_ERRNO | ENOSYS);
    struct sock_fprog program = {.len = (unsigned short)used, .filter = filter};
    if (FILTERS)
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0); /* without it, there are still the other barriers */
}

static void keep_capabilities(void)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {{0}, {0}};
    uint32_t wanted = 1U << CAP_NET_BIND_SERVICE | 1U << CAP_SYS_ADMIN; /* port 53; setns() */

    if (syscall(SYS_capget, &header, data) < 0)
        return;
    data[0].effective &= wanted;
    data[0].permitted &= wanted;
    data[0].inheritable = data[1].inheritable = data[1].effective = data[1].permitted = 0;
    syscall(SYS_capset, &header, data);
}

void confine(void)
{
    struct rlimit none = {0, 0};

    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    setrlimit(RLIMIT_CORE, &none);
    keep_capabilities();
    filter_calls();
}
