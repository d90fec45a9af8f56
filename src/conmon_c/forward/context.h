/* The state of one forwarder. */
#ifndef PODPY_FORWARD_CONTEXT_H
#define PODPY_FORWARD_CONTEXT_H

#include "control.h"
#include "limits.h"
#include "listeners.h"
#include "loop.h"
#include "target.h"
#include "tcp.h"
#include "udp.h"
#include "watch.h"

struct context {
    struct loop loop;
    struct limits limits;
    struct target target;
    struct listeners listeners;
    struct tcp tcp;
    struct udp udp;
    struct control control;
    struct watch watch;
};

#endif
