/* What the forwarder may still do when it begins: it reads what anybody in the network sends. */
#ifndef PODPY_FORWARD_CALLS_H
#define PODPY_FORWARD_CALLS_H

#include "util.h"

/* Leaves an empty root directory, CAP_NET_RAW (for IP_TRANSPARENT) and some forty system calls. */
int confine(struct error *err);

#endif
