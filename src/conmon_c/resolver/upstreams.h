/* The host's servers: /etc/resolv.conf, read again when it is another file, or has changed. */
#ifndef PODPY_RESOLVER_UPSTREAMS_H
#define PODPY_RESOLVER_UPSTREAMS_H

#include "context.h"

void upstreams_refresh(struct upstreams *upstreams);

#endif
