#define _GNU_SOURCE
#include "confine.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#if defined __x86_64__
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined __aarch64__
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#define ARCHITECTURE 0
#endif

#ifdef __SANITIZE_ADDRESS__
enum { FILTERS = 0 };
#else
enum { FILTERS = ARCHITECTURE != 0 };
#endif

enum { FIXED = 5, PER_RULE = 11, MOST_RULES = 200 };

#define LOAD(member) (struct sock_filter) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(member))
#define RETURN(action) (struct sock_filter) BPF_STMT(BPF_RET | BPF_K, action)
#define IF_EQUAL(value, then, otherwise) \
    (struct sock_filter) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(value), then, otherwise)

/* Arguments are 64 bits wide, of which the lower half counts here: all of these are ints, or flags far below it. */
static unsigned add_check(struct sock_filter *at, const struct check *check, uint8_t otherwise)
{
    at[0] = LOAD(offsetof(struct seccomp_data, args) + 8 * check->argument); /* both machines are little-endian */
    at[1] = (struct sock_filter)BPF_STMT(BPF_ALU | BPF_AND | BPF_K, check->mask);
    at[2] = IF_EQUAL(check->value, 0, otherwise);
    return 3;
}

static unsigned add_rule(struct sock_filter *at, const struct rule *rule)
{
    unsigned count = (rule->checks[0].mask != 0) + (rule->checks[1].mask != 0);
    unsigned used = 0;

    at[used++] = IF_EQUAL(rule->call, 0, (uint8_t)(3 * count + 1 + (count > 0)));
    for (unsigned i = 0; i < count; i++)
        used += add_check(at + used, &rule->checks[i], (uint8_t)(3 * (count - 1 - i) + 1));
    at[used++] = RETURN(SECCOMP_RET_ALLOW);
    if (count > 0)
        at[used++] = LOAD(offsetof(struct seccomp_data, nr));
    return used;
}

int confine_calls(const struct rule *rules, unsigned count)
{
    struct sock_filter filter[FIXED + PER_RULE * MOST_RULES];
    unsigned used = 0;

    filter[used++] = LOAD(offsetof(struct seccomp_data, arch));
    filter[used++] = IF_EQUAL(ARCHITECTURE, 1, 0);
    filter[used++] = RETURN(SECCOMP_RET_KILL_PROCESS);
    filter[used++] = LOAD(offsetof(struct seccomp_data, nr));
    for (unsigned i = 0; i < count && i < MOST_RULES; i++)
        used += add_rule(filter + used, &rules[i]);
    /* Not a kill: a future C library may try a new call first, and fall back to the old one after ENOSYS. */
    filter[used++] = RETURN(SECCOMP_RET_ERRNO | ENOSYS);
    struct sock_fprog program = {.len = (unsigned short)used, .filter = filter};
    return FILTERS ? prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) : 0;
}

static int keep_capabilities(uint64_t wanted)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {{0}, {0}};

    if (syscall(SYS_capget, &header, data) < 0)
        return -1;
    for (int i = 0; i < 2; i++) {
        uint32_t part = (uint32_t)(wanted >> (32 * i));
        data[i].effective &= part;
        data[i].permitted &= part;
        data[i].inheritable = 0;
    }
    return (int)syscall(SYS_capset, &header, data);
}

int confine_rights(uint64_t capabilities)
{
    static const struct rlimit none = {0, 0};

    return keep_capabilities(capabilities) | setrlimit(RLIMIT_CORE, &none) |
           prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) | prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}
