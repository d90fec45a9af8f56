/* Reports to the caller on _OCI_SYNCPIPE. */
#ifndef PODPY_CONMON_REPORT_H
#define PODPY_CONMON_REPORT_H

#include "util.h"

struct context;

struct report {
    int fd;
};

/* One line of JSON: {"data": N} (API version 1), {"pid": N} or {"exit_code": N}, with "message" if `text` isn't NULL.
   `escaped`: the text is already escaped for JSON. */
void report_number(struct context *ctx, int number, const char *text, bool escaped);

void report_close(struct context *ctx);

#endif
