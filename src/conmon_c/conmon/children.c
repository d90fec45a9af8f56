#define _GNU_SOURCE
#include "children.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* Processes that were found, each before its children. */
struct tree {
    pid_t *pids;
    size_t count, room;
};

typedef void visit(pid_t pid, struct tree *tree);

/* Calls `visit` for each child of a thread, however many there are; a pid cut off by a short read would be another
   process's. */
static bool of_thread(pid_t pid, const char *thread, visit *visit, struct tree *tree)
{
    char path[96];
    bool any = false;
    int child;

    snprintf(path, sizeof(path), "/proc/%d/task/%.16s/children", (int)pid, thread);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    while (fscanf(file, "%d", &child) == 1) {
        if (child <= 1)
            continue;
        visit((pid_t)child, tree);
        any = true;
    }
    fclose(file);
    return any;
}

static bool each_child(pid_t pid, visit *visit, struct tree *tree)
{
    char path[64];
    bool any = false;

    snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
    DIR *threads = opendir(path);
    if (threads == NULL)
        return false;
    for (struct dirent *entry; (entry = readdir(threads)) != NULL;)
        if (entry->d_name[0] != '.')
            any |= of_thread(pid, entry->d_name, visit, tree);
    closedir(threads);
    return any;
}

static void kill_one(pid_t pid, struct tree *tree)
{
    (void)tree;
    kill(pid, SIGKILL);
}

static void kill_with_group(pid_t pid)
{
    /* A descendant made this session: its whole group belongs to it. The leader (crun's) may be gone. */
    pid_t group = getsid(pid) != getsid(0) ? getpgid(pid) : -1;

    if (group > 1)
        kill(-group, SIGKILL);
    kill(pid, SIGKILL);
}

/* Stopped first, so that it can't start more while its children are looked for; SIGKILL ends what is stopped, too. */
static void stop_and_note(pid_t pid, struct tree *tree)
{
    kill(pid, SIGSTOP);
    if (tree->count == tree->room) {
        size_t room = tree->room > 0 ? 2 * tree->room : 64;
        pid_t *pids = realloc(tree->pids, room * sizeof(*pids));
        if (pids == NULL) {
            kill_with_group(pid); /* better than to leave it; its children aren't found */
            return;
        }
        tree->pids = pids;
        tree->room = room;
    }
    tree->pids[tree->count++] = pid;
}

bool children_kill(pid_t parent)
{
    return each_child(parent, kill_one, NULL);
}

/* A list, not a recursion: who starts a child that starts a child chooses how deep that goes. */
void children_kill_below(pid_t child)
{
    struct tree tree = {0};

    each_child(child, stop_and_note, &tree);
    for (size_t i = 0; i < tree.count; i++)
        each_child(tree.pids[i], stop_and_note, &tree);
    for (size_t i = 0; i < tree.count; i++)
        kill_with_group(tree.pids[i]);
    free(tree.pids);
}
