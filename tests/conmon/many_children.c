/* Makes ARGUMENT children and lets children.c kill those of this process; kill(2) only notes here whom it is told.
   With a second argument each is the child of the one before. Prints how many of them it was told, and how many
   processes that are none. */
#define _GNU_SOURCE
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define MOST 10000

struct told {
    pid_t children[MOST];
    int count, found, strange;
};

static struct told *told;

static int note(pid_t pid, int number)
{
    bool known = false;

    if (number != SIGKILL)
        return 0;
    for (int i = 0; i < told->count && !known; i++)
        known = told->children[i] == pid;
    told->found += known;
    told->strange += !known;
    return 0;
}

#define kill note
#include "children.c"
#undef kill

static void make_children(int count)
{
    while (told->count < count) {
        pid_t pid = fork();
        if (pid < 0)
            break;
        if (pid == 0)
            pause();
        told->children[told->count++] = pid; /* which the children see, too: it is shared memory */
    }
}

/* Each process of the chain but the last makes the next one and stays; this one returns when all are there. */
static void make_chain(int count)
{
    int ready[2];
    char byte;

    if (pipe(ready) < 0)
        return;
    for (int left = count; left > 0; left--) {
        pid_t pid = fork();
        if (pid < 0)
            _exit(1);
        if (pid == 0) {
            told->children[told->count++] = getpid();
            continue;
        }
        if (left == count) {
            close(ready[1]);
            if (read(ready[0], &byte, 1) != 1)
                told->count = -1;
            return;
        }
        pause();
    }
    if (write(ready[1], "", 1) == 1)
        pause();
    _exit(1);
}

int main(int argc, char **argv)
{
    int count = argc > 1 ? atoi(argv[1]) : 0;

    told = mmap(NULL, sizeof(*told), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (told == MAP_FAILED || count > MOST)
        return 1;
    if (argc > 2) {
        make_chain(count);
        children_kill_below(getpid());
    } else {
        make_children(count);
        children_kill(getpid());
    }
    for (int i = 0; i < told->count; i++)
        kill(told->children[i], SIGKILL);
    printf("%d %d\n", told->found, told->strange);
    return told->count == count ? 0 : 1;
}
