/* The first process of a pod's infra container: it keeps the pod's namespaces open, and does nothing.
 *
 * Where the pod shares its pid namespace, this is process 1 of it, and becomes the parent of every orphan: it reaps
 * them. With an argument it is the service container of several pods: SIGUSR1 ends it, too, as a failure. Process 1 gets
 * no signal that it doesn't handle (pid_namespaces(7)), so those that end it are waited for.
 */
#define _GNU_SOURCE
#include <link.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FAILED = 125 };

/* Gives back the pages of the C library's start, which is over: there is one of these processes for each pod, for as
 * long as that runs. What is still needed is read again from the page cache. Only for less memory: no failure matters.
 */
static void leave_start_behind(void)
{
    uintptr_t page = getauxval(AT_PAGESZ);
    const ElfW(Phdr) *segments = (const ElfW(Phdr) *)getauxval(AT_PHDR);
    for (unsigned long i = 0; segments && i < getauxval(AT_PHNUM); i++) {
        if (segments[i].p_type != PT_LOAD || (segments[i].p_flags & PF_W))
            continue;
        uintptr_t first = segments[i].p_vaddr & ~(page - 1);
        (void)madvise((void *)first, segments[i].p_vaddr + segments[i].p_memsz - first, MADV_DONTNEED);
    }
}

int main(int argc, char **argv)
{
    (void)argv;
    bool may_fail = argc > 1;
    sigset_t waited;
    if (sigemptyset(&waited) < 0 || sigaddset(&waited, SIGTERM) < 0 || sigaddset(&waited, SIGINT) < 0 ||
        sigaddset(&waited, SIGCHLD) < 0 || (may_fail && sigaddset(&waited, SIGUSR1) < 0) ||
        sigprocmask(SIG_BLOCK, &waited, NULL) < 0)
        return FAILED;
    signal(SIGCHLD, SIG_DFL); /* if it were ignored, it would not arrive */
    leave_start_behind();
    while (true) {
        int number = sigwaitinfo(&waited, NULL);
        if (number == SIGTERM || number == SIGINT)
            return 0;
        if (number == SIGUSR1)
            return 1;
        while (waitpid(-1, NULL, WNOHANG) > 0) /* a signal may stand for several children */
            continue;
    }
}
