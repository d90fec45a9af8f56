/* Logs of the container's output, with any number of drivers at once. */
#ifndef PODPY_CONMON_LOG_H
#define PODPY_CONMON_LOG_H

#include <sys/types.h>

#include "util.h"

#define SINKS_MAX 8
#define STREAMS 2
#define JOURNAL_LINE 16384

struct context;

/* A log file that is rotated by size. */
struct log_file {
    const char *path;
    int fd;
    bool regular;      /* can be rotated and truncated */
    off_t size;        /* of the file, with what is buffered */
    off_t boundary;    /* the end of the last whole entry in the file */
    int64_t total;     /* ever written, for --log-global-size-max */
    size_t buffered;   /* bytes in buffers->log */
    bool failing;      /* the last write failed: reported once */
    bool skipping;     /* ... inside an entry: its rest must not be written either */
    uint64_t lost;     /* bytes of log that could not be written */
};

/* The beginning of a UTF-8 sequence that was cut by the end of a read. */
struct carry {
    unsigned char bytes[4];
    size_t count;
};

struct sink {
    void (*write)(struct context *ctx, struct sink *sink, int stream, const unsigned char *data, size_t size);
    void (*finish)(struct context *ctx, struct sink *sink); /* the container has ended; may be NULL */
    struct log_file file;          /* k8s-file, json-file */
    struct carry carry[STREAMS];   /* json-file */
    char *fields;                  /* journald: the same for every line; json-file: the attributes */
    size_t fields_size;
    int socket;                    /* journald */
    size_t partial[STREAMS];       /* journald: bytes in journal_lines */
    bool failing;
};

struct log {
    struct sink sinks[SINKS_MAX];
    int count;
    bool passthrough;
    unsigned char (*journal_lines)[JOURNAL_LINE]; /* one for each stream */
    int64_t offset_valid_until;                   /* second until which `offset` is the local time's */
    int offset;                                   /* seconds east of UTC */
};

/* Opens the logs of --log-path. */
int log_open(struct context *ctx, struct error *err);

static inline bool log_wanted(const struct log *log)
{
    return log->count > 0;
}

void log_write(struct context *ctx, int stream, const unsigned char *data, size_t size);

/* Control message 2: reopens the files, which were renamed. */
void log_reopen(struct context *ctx);

/* Writes what is left, and syncs unless --no-sync-log. */
void log_finish(struct context *ctx);
uint64_t log_lost(const struct log *log);

/* log_file.c */
int log_file_open(struct context *ctx, struct log_file *file, const char *path, struct error *err);
void log_file_add(struct context *ctx, struct log_file *file, const void *data, size_t size);
void log_file_flush(struct context *ctx, struct log_file *file);
void log_file_rotate(struct context *ctx, struct log_file *file);

/* Makes room for an entry of `size` bytes: rotates if the file would get too long; false if nothing more may be
   logged. */
bool log_file_begin(struct context *ctx, struct log_file *file, size_t size);

/* log_k8s.c, log_json.c, log_journald.c: set the sink's functions. */
int log_k8s_open(struct context *ctx, struct sink *sink, const char *path, struct error *err);
int log_json_open(struct context *ctx, struct sink *sink, const char *path, struct error *err);
int log_journald_open(struct context *ctx, struct sink *sink, struct error *err);

/* log_time.c: the time as RFC 3339 with nanoseconds; exactly 35 bytes in local time, 30 in UTC ("Z"); without a NUL. */
#define LOCAL_TIME_SIZE 35
#define UTC_TIME_SIZE 30
void log_time_local(struct log *log, char *to);
void log_time_utc(char *to);

/* log_line.c: returns the bytes up to and including the first newline, or all; `whole` tells which. */
size_t log_line(const unsigned char *data, size_t size, bool *whole);

#endif
