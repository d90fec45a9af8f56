/* The command line. */
#ifndef PODPY_FORWARD_OPTIONS_H
#define PODPY_FORWARD_OPTIONS_H

#include "util.h"

struct options {
    char *netns;     /* --netns FILE: its end is ours */
    char *target;    /* --target TEXT, see target.h */
    int enter_fd;    /* --enter FD: the network namespace of the bridges; -1: this one */
    int ready_fd;    /* --ready FD: gets one line, `PID` or an error */
    int control_fd;  /* --control FD; -1: none */
    char **listen;   /* the other arguments: `FD PROTOCOL PORT` */
    int listen_count;
};

int options_parse(struct options *options, int argc, char **argv, struct error *err);

#endif
