/* The init for `--init`, if catatonit isn't installed.
 *
 *     init -- COMMAND ARGUMENTS…
 *
 * Process 1 of a pid namespace gets no signal that it doesn't handle (pid_namespaces(7)), and becomes the parent of
 * every orphan. So this one starts COMMAND, passes every signal on to it, reaps all children, and ends as COMMAND
 * does: with its exit code, or 128 + the signal that killed it. 126: COMMAND can't be run; 127: it doesn't exist.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FAILED = 125, NOT_EXECUTABLE = 126, NOT_FOUND = 127, SIGNAL_BASE = 128 };

static void say(const char *first, const char *second)
{
    const char *parts[] = {"podpy-init: ", first, ": ", second, "\n"};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (write(STDERR_FILENO, parts[i], strlen(parts[i])) < 0)
            return;
}

/* In the child: a process group of its own, which gets the terminal's signals, so that none arrives twice. */
static _Noreturn void become(char **command, const sigset_t *before)
{
    if (setpgid(0, 0) == 0 && isatty(STDIN_FILENO))
        (void)tcsetpgrp(STDIN_FILENO, getpid()); /* SIGTTOU is blocked, so it doesn't stop us */
    if (sigprocmask(SIG_SETMASK, before, NULL) == 0)
        execvp(command[0], command);
    int error = errno;
    say(command[0], strerror(error));
    _exit(error == ENOENT ? NOT_FOUND : NOT_EXECUTABLE);
}

/* Reaps all ended children. Returns COMMAND's exit code if it has ended, else -1. */
static int reap(pid_t child)
{
    int code = -1;
    int status;
    pid_t pid;
    while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
        if (pid == child)
            code = WIFEXITED(status) ? WEXITSTATUS(status) : SIGNAL_BASE + WTERMSIG(status);
    return code;
}

int main(int argc, char **argv)
{
    char **command = argv + 1;
    if (argc > 1 && strcmp(command[0], "--") == 0)
        command++;
    if (!command[0]) {
        say("usage", "init -- COMMAND [ARGUMENT…]");
        return FAILED;
    }
    sigset_t all, before;
    if (sigfillset(&all) < 0 || sigprocmask(SIG_BLOCK, &all, &before) < 0) {
        say("sigprocmask", strerror(errno));
        return FAILED;
    }
    signal(SIGCHLD, SIG_DFL); /* if our parent ignored it, we would see no child's end */
    pid_t child = fork();
    if (child < 0) {
        say("fork", strerror(errno));
        return FAILED;
    }
    if (child == 0)
        become(command, &before);
    while (true) {
        int number = sigwaitinfo(&all, NULL);
        if (number < 0)
            continue; /* EINTR: stopped and continued */
        if (number != SIGCHLD) {
            (void)kill(child, number); /* ESRCH: its end comes next */
            continue;
        }
        int code = reap(child);
        if (code >= 0)
            return code;
    }
}
