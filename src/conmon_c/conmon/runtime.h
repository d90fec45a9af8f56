/* The OCI runtime: its command line, its start, and its error message. */
#ifndef PODPY_CONMON_RUNTIME_H
#define PODPY_CONMON_RUNTIME_H

#include "util.h"

struct context;

struct runtime {
    char **argv;
    const char *log_path; /* the runtime's own log (`--log PATH` among --runtime-arg), or NULL */
    off_t log_start;      /* its size before this runtime started */
    char failure[4096];   /* the runtime's stderr, if it had to be read before the runtime ended */
    size_t failure_size;
};

int runtime_prepare(struct context *ctx, struct error *err);
int runtime_spawn(struct context *ctx, struct error *err);

/* Output had to be read while the runtime was still running: if it fails, this may be its error message. */
void runtime_remember(struct runtime *runtime, const unsigned char *data, size_t size);

/* The runtime failed: tells the caller why, on the sync pipe. */
void runtime_report_failure(struct context *ctx, const char *why);

#endif
