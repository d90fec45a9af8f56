#define _GNU_SOURCE
#include "memory.h"

#include <elf.h>
#include <link.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

static void give_segment_back(const ElfW(Phdr) *segment, uintptr_t base)
{
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    uintptr_t start = (base + segment->p_vaddr) & ~(page - 1);
    uintptr_t end = (base + segment->p_vaddr + segment->p_memsz) & ~(page - 1);

    if (segment->p_type == PT_LOAD && (segment->p_flags & PF_W) == 0 && end > start)
        madvise((void *)start, end - start, MADV_DONTNEED);
}

void memory_give_text_back(void)
{
    const ElfW(Phdr) *segments = (const ElfW(Phdr) *)getauxval(AT_PHDR);
    unsigned long count = getauxval(AT_PHNUM);
    uintptr_t base = 0;

    for (unsigned long i = 0; segments != NULL && i < count; i++)
        if (segments[i].p_type == PT_PHDR)
            base = (uintptr_t)segments - segments[i].p_vaddr;
    for (unsigned long i = 0; segments != NULL && i < count; i++)
        give_segment_back(&segments[i], base);
}
