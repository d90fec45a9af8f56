/* What a process that strangers speak to may still do. */
#ifndef PODPY_COMMON_CONFINE_H
#define PODPY_COMMON_CONFINE_H

#include <stdint.h>
#include <sys/syscall.h>

#define WHOLE UINT32_MAX /* the mask of a check */
#define ALWAYS(name) {.call = SYS_##name}

/* A system call that is allowed if both arguments have these values; `mask` 0: whatever that one is. */
struct rule {
    uint32_t call;
    struct check {
        uint32_t argument;
        uint32_t mask;
        uint32_t value;
    } checks[2];
};

/* Keeps no capabilities but these (bits of 1 << CAP_…), no core dumps, no new privileges; nobody may trace it, or read
   its memory. All of it is tried; -1 with errno if something failed. */
int confine_rights(uint64_t capabilities);

/* Leaves these system calls only, for good; nothing happens on another machine than x86-64 and 64-bit ARM, and under
   sanitizers, which need more. -1 with errno. */
int confine_calls(const struct rule *rules, unsigned count);

#endif
