/* The first process of a pod's infra container: it keeps the pod's namespaces open, and does nothing.
 *
 * Where the pod shares its pid namespace, this is process 1 of it, and becomes the parent of every orphan: it reaps
 * them. Process 1 gets no signal that it doesn't handle (pid_namespaces(7)), so the two that end it are waited for.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FAILED = 125 };

int main(void)
{
    sigset_t waited;
    if (sigemptyset(&waited) < 0 || sigaddset(&waited, SIGTERM) < 0 || sigaddset(&waited, SIGINT) < 0 ||
        sigaddset(&waited, SIGCHLD) < 0 || sigprocmask(SIG_BLOCK, &waited, NULL) < 0)
        return FAILED;
    signal(SIGCHLD, SIG_DFL); /* if it were ignored, it would not arrive */
    while (true) {
        int number = sigwaitinfo(&waited, NULL);
        if (number == SIGTERM || number == SIGINT)
            return 0;
        while (waitpid(-1, NULL, WNOHANG) > 0) /* a signal may stand for several children */
            continue;
    }
}
