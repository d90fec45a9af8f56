/* The processes below a process, as /proc lists them (CONFIG_PROC_CHILDREN). */
#ifndef PODPY_CONMON_CHILDREN_H
#define PODPY_CONMON_CHILDREN_H

#include "util.h"

/* Sends SIGKILL to the children of our own process: they are ours and unreaped, so no number can be anybody else's.
   Returns whether there was any. */
bool children_kill(pid_t parent);

/* Ends all that a child of ours has started, in whatever pid namespace: every descendant, and the process groups of
   other sessions than ours that they are in, for those whose parent has ended already. The child itself isn't touched. */
void children_kill_below(pid_t child);

#endif
