/* The processes below a process, as /proc lists them (CONFIG_PROC_CHILDREN). */
#ifndef PODPY_CONMON_CHILDREN_H
#define PODPY_CONMON_CHILDREN_H

#include "util.h"

/* Sends SIGKILL to our own children: they are unreaped, so no pid can have been reused. Returns whether there was
   any. */
bool children_kill(pid_t parent);

/* Ends everything that our child has started, in any pid namespace: every descendant, and (for those whose parent has
   ended) the descendants' process groups in other sessions than ours. The child itself isn't ended. */
void children_kill_below(pid_t child);

#endif
