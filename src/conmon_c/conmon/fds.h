/* Inherited descriptors: which ones the monitor and the runtime keep. */
#ifndef PODPY_CONMON_FDS_H
#define PODPY_CONMON_FDS_H

#include "util.h"

struct context;

/* Returns whether the caller knows podpy's conmon: one of podpy's own options was given. */
struct options;
bool fds_is_strict(const struct options *options);

/* Reads the descriptors' numbers from the environment and the options, and makes the named ones close-on-exec.
   With one of podpy's options, every other one from 3 up is closed at once. */
int fds_take(struct context *ctx, struct error *err);

/* In the runtime's process: fills gaps between passed descriptors with /dev/null. Else the runtime would open its own
   files there, and the container would inherit them. */
void fds_fill_gaps(const struct context *ctx);

/* The runtime has started: closes the descriptors that were kept only for it. */
void fds_after_spawn(struct context *ctx);

/* The container has ended: closes all other inherited descriptors. Podman leaves sockets in conmon that keep published
   ports busy, and the descriptor whose end of file ends slirp4netns. */
void fds_after_container(struct context *ctx);

#endif
