/* The socket in the container's run directory (SOCK_SEQPACKET), where podpy changes what a running forwarder does.

   One message is one request, the answer is `ok` (with what was asked for) or `error TEXT`:

       add PROTOCOL PORT              takes the bound socket that comes along (SCM_RIGHTS) for the container's port
       remove PROTOCOL ADDRESS PORT   closes what listens on this address and port of the host
       target …                       as target_parse() reads it; what goes to an address that is gone is ended
       status                         answers `ok listeners N connections N flows N`
 */
#ifndef PODPY_FORWARD_CONTROL_H
#define PODPY_FORWARD_CONTROL_H

#include "loop.h"

#define CALLERS 8 /* at a time; one more, and the one that has waited longest is hung up on */

struct caller {
    struct source source;
    unsigned number; /* in order of their coming */
};

struct control {
    struct source source;
    struct caller callers[CALLERS];
    unsigned count;
};

/* Takes a listening socket; -1: nobody can ask for anything. */
int control_open(struct context *ctx, int fd, struct error *err);

#endif
