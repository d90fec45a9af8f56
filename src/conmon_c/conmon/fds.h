/* Which inherited descriptors the monitor and the runtime keep. */
#ifndef PODPY_CONMON_FDS_H
#define PODPY_CONMON_FDS_H

#include "util.h"

struct context;

/* Whether the caller knows podpy's conmon: one of its own options was given. */
struct options;
bool fds_is_strict(const struct options *options);

/* Reads the descriptors' numbers from the environment and the options, and makes the named ones close-on-exec.
   With one of podpy's options, every other one from 3 up is closed at once. */
int fds_take(struct context *ctx, struct error *err);

/* In the runtime's process: where nothing is handed over between two that are, /dev/null is. Else the runtime would open
   files of its own there, and leave them to the container. */
void fds_fill_gaps(const struct context *ctx);

/* The runtime has started: closes what was only kept for it. */
void fds_after_spawn(struct context *ctx);

/* The container has ended: closes whatever else was inherited. Podman leaves sockets in conmon that keep published
   ports busy, and the descriptor whose end tells slirp4netns to leave. */
void fds_after_container(struct context *ctx);

#endif
