#define _GNU_SOURCE
#include "children.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#define DEPTH_MAX 64

typedef bool visit(pid_t pid, int depth);

/* Calls `visit` for each child that a thread has, however many: half a number would be another process. */
static bool of_thread(pid_t pid, const char *thread, visit *visit, int depth)
{
    char path[96];
    bool any = false;
    int child;

    snprintf(path, sizeof(path), "/proc/%d/task/%.16s/children", (int)pid, thread);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    while (fscanf(file, "%d", &child) == 1)
        if (child > 1)
            any |= visit((pid_t)child, depth);
    fclose(file);
    return any;
}

static bool each_child(pid_t pid, visit *visit, int depth)
{
    char path[64];
    bool any = false;

    snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
    DIR *threads = opendir(path);
    if (threads == NULL)
        return false;
    for (struct dirent *entry; (entry = readdir(threads)) != NULL;)
        if (entry->d_name[0] != '.')
            any |= of_thread(pid, entry->d_name, visit, depth);
    closedir(threads);
    return any;
}

static bool kill_one(pid_t pid, int depth)
{
    (void)depth;
    kill(pid, SIGKILL);
    return true;
}

/* Stopped first, so that it can't start more while its children are looked for; SIGKILL ends what is stopped, too. */
static bool kill_tree(pid_t pid, int depth)
{
    kill(pid, SIGSTOP);
    if (depth < DEPTH_MAX)
        each_child(pid, kill_tree, depth + 1);
    /* A session that isn't ours was made below: all of this group belongs to it. Its leader may be gone (crun's). */
    pid_t group = getsid(pid) != getsid(0) ? getpgid(pid) : -1;
    if (group > 1)
        kill(-group, SIGKILL);
    kill(pid, SIGKILL);
    return true;
}

bool children_kill(pid_t parent)
{
    return each_child(parent, kill_one, 0);
}

void children_kill_below(pid_t child)
{
    each_child(child, kill_tree, 0);
}
