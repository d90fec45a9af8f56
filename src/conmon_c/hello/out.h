/* Text into one buffer, written once: hello needs no stdio. */
#ifndef PODPY_HELLO_OUT_H
#define PODPY_HELLO_OUT_H

#include <stdbool.h>
#include <stddef.h>

void out_text(const char *text);
void out_bytes(const char *text, size_t length);
void out_number(unsigned long long number);
/* Writes "  label       ", the left column of a line. */
void out_label(const char *label);
/* Writes the buffer to stdout; false if that failed. */
bool out_flush(void);

/* Reads a small file of /proc as a string; returns its length, 0 if it can't be read. */
size_t slurp(const char *path, char *text, size_t size);
/* Copies the rest of the line that starts with `key`, without leading blanks, into `value`; false if there is none. */
bool line_value(const char *text, const char *key, char *value, size_t size);

#endif
