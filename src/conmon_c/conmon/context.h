/* The state of one monitor. */
#ifndef PODPY_CONMON_CONTEXT_H
#define PODPY_CONMON_CONTEXT_H

#include <signal.h>

#include "clients.h"
#include "control.h"
#include "end.h"
#include "health.h"
#include "input.h"
#include "log.h"
#include "loop.h"
#include "message.h"
#include "notify.h"
#include "oom.h"
#include "options.h"
#include "output.h"
#include "process.h"
#include "report.h"
#include "restart.h"
#include "runtime.h"
#include "terminal.h"
#include "waiters.h"

#define BUFFER_SIZE 65536

/* Big and page-aligned: when the container is quiet, the pages are given back. */
struct buffers {
    unsigned char output[BUFFER_SIZE]; /* read from the container */
    unsigned char log[BUFFER_SIZE];    /* log entries made from it */
    unsigned char input[BUFFER_SIZE];  /* for the container's stdin */
};

struct context {
    struct options options;
    struct messages messages;
    struct loop loop;
    struct report report;
    struct runtime runtime;
    struct process process;
    struct output output;
    struct input input;
    struct clients clients;
    struct terminal terminal;
    struct control control;
    struct log log;
    struct oom oom;
    struct notify notify;
    struct health health;
    struct restart restart;
    struct end end;
    struct waiters waiters;
    struct buffers *buffers;
    struct source signals;
    sigset_t old_mask;
    int null_fd;   /* /dev/null, read and write */
    int start_fd;  /* _OCI_STARTPIPE */
    int attach_fd; /* _OCI_ATTACHPIPE */
    int keep_fds;  /* 3 .. 3 + keep_fds - 1 are for the container (--preserve-fds, LISTEN_FDS) */
};

#endif
