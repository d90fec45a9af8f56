/* Helpers for every file of the monitor: the error object, cleanup attributes, whole reads and writes. */
#ifndef PODPY_CONMON_UTIL_H
#define PODPY_CONMON_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define CLEANUP(function) __attribute__((cleanup(function)))
#define CLOSE_FD CLEANUP(close_fd)
#define FREE CLEANUP(free_pointer)
#define PRINTF(at, first) __attribute__((format(printf, at, first)))
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* An error as one line. Functions that can fail take it as last argument and return -1. */
struct error {
    char text[1024];
};

/* Fills `err` (may be NULL) and returns -1. `%m` in the format is the current errno's text. */
int fail(struct error *err, const char *format, ...) PRINTF(2, 3);

void close_fd(int *fd);
void free_pointer(void *pointer);

/* Writes all bytes, also after EINTR and short writes; returns 0, or -1 with errno. */
int write_all(int fd, const void *data, size_t size);

/* Reads up to size - 1 bytes of a small file and appends a NUL; returns the length, or -1 with errno. */
ssize_t read_file(const char *path, char *buffer, size_t size);

/* A new string "directory/name" (malloc); NULL with errno. */
char *path_join(const char *directory, const char *name);

/* Replaces the file at `path` by `text`: written aside, renamed. Durable: file and directory are synced, and the
   mtime is exact. */
int replace_file(const char *path, const char *text, bool durable, struct error *err);

/* A whole decimal number with optional sign; false if the text is anything else or out of range. */
bool parse_number(const char *text, int64_t *value);

int64_t now_ms(void);

#endif
