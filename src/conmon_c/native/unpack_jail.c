/* Confines this process to the directory that it unpacks into, or packs: as its root, with few capabilities and system calls.
 *
 * A layer is hostile input, and the parser is C. openat2 already keeps names inside; this is for the day when the parser
 * itself has a hole. After jail_enter the process has only two descriptors (the target, and a nameless file for the recipe, or
 * the archive itself), no name for anything outside, no capability to chroot, mount, trace or make namespaces, and no system calls for sockets,
 * exec or signals to others. As a fork, it still has a copy of podpy's memory, but no way to send it anywhere.
 * chroot, not pivot_root: without outside descriptors and CAP_SYS_CHROOT there is no way back, and it needs no mount
 * namespace (1 ms with many mounts).
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "unpack_internal.h"

#define ROOT_DESCRIPTOR 3
#define RECIPE_DESCRIPTOR 4

static const int writers_calls[] = {
    SYS_read, SYS_pread64, SYS_write, SYS_pwrite64, SYS_sendfile, SYS_ftruncate, SYS_close, SYS_fstat, SYS_newfstatat, SYS_statx,
    SYS_openat,
#ifdef SYS_openat2
    SYS_openat2,
#endif
    SYS_mkdirat, SYS_mknodat, SYS_unlinkat, SYS_linkat, SYS_symlinkat, SYS_renameat2,
#ifdef SYS_renameat /* glibc's renameat2 without flags */
    SYS_renameat,
#endif
    SYS_fchown, SYS_fchownat, SYS_fchmod,
    SYS_fchmodat, SYS_fsetxattr, SYS_utimensat, SYS_getdents64, SYS_lseek, SYS_fcntl, SYS_mmap, SYS_munmap, SYS_mremap,
    SYS_brk, SYS_madvise, SYS_mprotect, SYS_futex, SYS_exit, SYS_exit_group, SYS_rt_sigreturn, SYS_rt_sigprocmask,
    SYS_getppid, SYS_getpid, SYS_gettid, SYS_tgkill, SYS_clock_nanosleep, SYS_nanosleep, SYS_restart_syscall,
#ifdef SYS_getrandom
    SYS_getrandom,
#endif
};

static const int readers_calls[] = {
    SYS_read, SYS_pread64, SYS_write, SYS_sendfile, SYS_ppoll, SYS_close, SYS_fstat, SYS_newfstatat, SYS_statx,
    SYS_openat,
#ifdef SYS_openat2
    SYS_openat2,
#endif
    SYS_readlinkat, SYS_getdents64, SYS_lseek, SYS_fcntl, SYS_flistxattr, SYS_fgetxattr, SYS_mmap, SYS_munmap, SYS_mremap,
    SYS_brk, SYS_madvise, SYS_mprotect, SYS_futex, SYS_exit, SYS_exit_group, SYS_rt_sigreturn, SYS_rt_sigprocmask,
    SYS_getpid, SYS_gettid, SYS_tgkill, SYS_clock_nanosleep, SYS_nanosleep, SYS_restart_syscall,
    SYS_sysinfo, /* glibc's qsort asks how much memory there is */
#ifdef SYS_getrandom
    SYS_getrandom,
#endif
};
#define MOST_CALLS 64
#define COUNT(array) (sizeof(array) / sizeof *(array))
_Static_assert(COUNT(writers_calls) <= MOST_CALLS && COUNT(readers_calls) <= MOST_CALLS, "the filter has room for them");

#if defined __x86_64__
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined __aarch64__
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

static void close_others(int first)
{
#ifdef SYS_close_range
    if (syscall(SYS_close_range, (unsigned)first, ~0U, 0) == 0)
        return;
#endif
    long limit = sysconf(_SC_OPEN_MAX);
    for (int i = first; i < limit; i++)
        close(i);
}

/* Nothing may be written to the files of 0, 1, 2, and no unpacked file may get one of these numbers. */
static int silence(struct unpack_error *error)
{
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0)
        return unpack_fail(error, errno, "/dev/null: %s", strerror(errno));
    for (int i = 0; i < 3; i++)
        if (dup2(null, i) < 0)
            return unpack_fail(error, errno, "/dev/null: %s", strerror(errno));
    if (null > 2)
        close(null);
    return 0;
}

int jail_enter(int *root, int *recipe, struct unpack_error *error)
{
    int moved = fcntl(*root, F_DUPFD, 10); /* above 0, 1, 2 */
    int recipe_moved = *recipe < 0 ? -1 : fcntl(*recipe, F_DUPFD, 10);
    if (moved < 0 || (*recipe >= 0 && recipe_moved < 0))
        return unpack_fail(error, errno, "%s", strerror(errno));
    if (silence(error) < 0)
        return -1;
    if (dup2(moved, ROOT_DESCRIPTOR) < 0 || (recipe_moved >= 0 && dup2(recipe_moved, RECIPE_DESCRIPTOR) < 0))
        return unpack_fail(error, errno, "%s", strerror(errno));
    close_others(recipe_moved < 0 ? RECIPE_DESCRIPTOR : RECIPE_DESCRIPTOR + 1);
    *root = ROOT_DESCRIPTOR;
    *recipe = recipe_moved < 0 ? -1 : RECIPE_DESCRIPTOR;
    struct stat status;
    if (fstat(ROOT_DESCRIPTOR, &status) == 0 && !S_ISDIR(status.st_mode))
        return 0; /* a single file to pack: nothing will be opened */
    if (fchdir(ROOT_DESCRIPTOR) < 0)
        return unpack_fail(error, errno, "entering the directory: %s", strerror(errno));
    if (chroot(".") == 0)
        return 1;
    if (errno == EPERM) /* neither a user namespace nor root: openat2 alone must do */
        return 0;
    return unpack_fail(error, errno, "locking the child into the directory: %s", strerror(errno));
}

static void keep_capabilities(uint64_t wanted)
{
    struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct data[2] = { 0 };
    if (syscall(SYS_capget, &header, data) < 0)
        return;
    for (int i = 0; i < 2; i++) {
        uint32_t part = (uint32_t)(wanted >> (32 * i));
        data[i].effective &= part;
        data[i].permitted &= part;
        data[i].inheritable = 0;
    }
    syscall(SYS_capset, &header, data);
}

static void filter_calls(const int *allowed, size_t count)
{
#ifdef ARCHITECTURE
    struct sock_filter filter[MOST_CALLS + 8];
    size_t used = 0;
    filter[used++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
    filter[used++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0);
    filter[used++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
    filter[used++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    for (size_t i = 0; i < count; i++)
        filter[used++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)allowed[i],
                                                      (unsigned char)(count - i), 0);
    /* Not a kill: a future C library may try a new call first, and fall back to the old one after ENOSYS. */
    filter[used++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS);
    filter[used++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
    struct sock_fprog program = { .len = (unsigned short)used, .filter = filter };
    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0); /* without it, there are still the other barriers */
#endif
}

static void drop_rights(uint64_t capabilities, bool first_namespace, const int *calls, size_t count)
{
    if (first_namespace) /* for trusted.* attributes; the filter forbids the dangerous system calls */
        capabilities |= 1ULL << CAP_SYS_ADMIN;
    keep_capabilities(capabilities);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    filter_calls(calls, count);
}

void jail_drop_rights(unsigned flags)
{
    uint64_t wanted = 1ULL << CAP_CHOWN | 1ULL << CAP_DAC_OVERRIDE | 1ULL << CAP_FOWNER | 1ULL << CAP_FSETID
                      | 1ULL << CAP_MKNOD | 1ULL << CAP_SETFCAP;
    drop_rights(wanted, !(flags & PODPY_UNPACK_USERNS), writers_calls, COUNT(writers_calls));
}

void jail_drop_rights_of_reader(bool in_userns)
{
    drop_rights(1ULL << CAP_DAC_READ_SEARCH | 1ULL << CAP_DAC_OVERRIDE, !in_userns, readers_calls, COUNT(readers_calls));
}
