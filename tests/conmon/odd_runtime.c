/* An OCI runtime without containers, for tests and benches of conmon: `create`, `run` and `exec` start $ODD_COMMAND by
   sh, with the runtime's stdio, and write the pid file. $ODD tells what to do wrong:
     die      the runtime is killed after the process has started, before the pid file,
              when the file $ODD_WAIT is there
     nopid    no pid file, exit status 0
     foreign  the pid file holds $ODD_PID, somebody else's process
     chatty   writes 1 MB to stderr before it starts anything
     fail     writes to stderr, exit status 1
     late     the same, but takes its time between the two */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void write_pid(const char *path, int pid)
{
    FILE *file = path ? fopen(path, "w") : NULL;

    if (file == NULL)
        exit(2);
    fprintf(file, "%d", pid);
    fclose(file);
}

int main(int argc, char **argv)
{
    const char *odd = getenv("ODD") ? getenv("ODD") : "";
    const char *pid_file = NULL;

    for (int i = 1; i + 1 < argc; i++)
        if (strcmp(argv[i], "--pid-file") == 0)
            pid_file = argv[i + 1];
    if (strcmp(odd, "fail") == 0) {
        fprintf(stderr, "odd: \"quoted\"\n\tand more\n");
        return 1;
    }
    if (strcmp(odd, "late") == 0) {
        fprintf(stderr, "late\n");
        sleep(2);
        return 1;
    }
    if (strcmp(odd, "nopid") == 0)
        return 0;
    if (strcmp(odd, "foreign") == 0) {
        write_pid(pid_file, atoi(getenv("ODD_PID")));
        return 0;
    }
    for (int i = 0; strcmp(odd, "chatty") == 0 && i < 16384; i++)
        fprintf(stderr, "%63d\n", i);
    int pid = fork();
    if (pid == 0) {
        setsid();
        execl("/bin/sh", "sh", "-c", getenv("ODD_COMMAND"), (char *)NULL);
        _exit(127);
    }
    if (strcmp(odd, "die") == 0) {
        while (access(getenv("ODD_WAIT"), F_OK) < 0)
            usleep(1000);
        raise(SIGKILL);
    }
    write_pid(pid_file, pid);
    return 0;
}
