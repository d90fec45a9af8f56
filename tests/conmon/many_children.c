/* Makes ARGUMENT children and lets children.c kill those of this process; kill(2) only notes here whom it is told.
   Prints how many children it was told, and how many processes that are none. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define MOST 10000

struct told {
    pid_t children[MOST];
    int count, found, strange;
};

static struct told told;

static int note(pid_t pid, int number)
{
    bool known = false;

    (void)number;
    for (int i = 0; i < told.count && !known; i++)
        known = told.children[i] == pid;
    told.found += known;
    told.strange += !known;
    return 0;
}

#define kill note
#include "children.c"
#undef kill

int main(int argc, char **argv)
{
    int count = argc > 1 ? atoi(argv[1]) : 0;

    for (; told.count < count && told.count < MOST; told.count++) {
        told.children[told.count] = fork();
        if (told.children[told.count] == 0)
            pause();
        if (told.children[told.count] < 0)
            break;
    }
    children_kill(getpid());
    for (int i = 0; i < told.count; i++)
        kill(told.children[i], SIGKILL);
    printf("%d %d\n", told.found, told.strange);
    return told.count == count ? 0 : 1;
}
