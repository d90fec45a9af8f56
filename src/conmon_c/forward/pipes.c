#define _GNU_SOURCE
#include "pipes.h"

#include <fcntl.h>
#include <unistd.h>

#define LARGE (256 * 1024) /* as many bytes as pages of 64 buffers: twice as much made no difference */

bool pipes_take(struct pipes *pipes, struct pipe *pipe)
{
    int ends[2];

    if (pipes->count > 0) {
        *pipe = pipes->spare[--pipes->count];
        return true;
    }
    if (pipes->open >= pipes->most || pipe2(ends, O_NONBLOCK | O_CLOEXEC) < 0)
        return false;
    if (pipes->open++ < SPARE_PIPES)
        fcntl(ends[0], F_SETPIPE_SZ, LARGE); /* beyond the user's limit it stays small */
    *pipe = (struct pipe){.out = ends[0], .in = ends[1]};
    return true;
}

void pipes_give(struct pipes *pipes, struct pipe *pipe)
{
    if (pipe->out >= 0 && pipes->count < SPARE_PIPES) {
        pipes->spare[pipes->count++] = *pipe;
        *pipe = (struct pipe){.out = -1, .in = -1};
    }
    pipes_drop(pipes, pipe);
}

void pipes_drop(struct pipes *pipes, struct pipe *pipe)
{
    if (pipe->out >= 0)
        pipes->open--;
    close_fd(&pipe->out);
    close_fd(&pipe->in);
}
