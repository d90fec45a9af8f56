/* Helpers for every file of the forwarder: the error object, descriptors, the clock. */
#ifndef PODPY_FORWARD_UTIL_H
#define PODPY_FORWARD_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define PRINTF(at, first) __attribute__((format(printf, at, first)))
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define CONTAINER_OF(pointer, type, member) ((type *)(void *)((char *)(pointer) - offsetof(type, member)))

/* An error as one line. Functions that can fail take it as last argument and return -1. */
struct error {
    char text[256];
};

/* Fills `err` and returns -1. `%m` in the format is the current errno's text. */
int fail(struct error *err, const char *format, ...) PRINTF(2, 3);

/* Closes and sets to -1; nothing to do for -1. */
void close_fd(int *fd);

/* A whole decimal number from 0 to `most`; false if the text is anything else. */
bool parse_number(const char *text, int most, int *value);

/* Cuts the next word off a text, at spaces; NULL if there is none. Changes the text. */
char *next_word(char **text);

/* Milliseconds of the monotonic clock. */
int64_t now_ms(void);

#endif
