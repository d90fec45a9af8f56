#define _GNU_SOURCE
#include <sys/socket.h>

#include "../common/confine.h"
#include "probe.h"

/* None of them opens a file or makes a process. */
static const struct rule rules[] = {
    ALWAYS(brk), ALWAYS(clock_nanosleep), ALWAYS(close), ALWAYS(connect), ALWAYS(exit), ALWAYS(exit_group),
    ALWAYS(getsockopt), ALWAYS(munmap), ALWAYS(ppoll), ALWAYS(read), ALWAYS(recvfrom), ALWAYS(restart_syscall),
    ALWAYS(rt_sigreturn), ALWAYS(sendto), ALWAYS(write), ALWAYS(writev),
#ifdef SYS_poll
    ALWAYS(poll),
#endif
    {SYS_socket, {{0, WHOLE, AF_INET}}},
    {SYS_socket, {{0, WHOLE, AF_INET6}}},
};

void confine(void)
{
    /* If one of the two fails, the other still stands. */
    confine_rights(0);
    confine_calls(rules, COUNT(rules));
}
