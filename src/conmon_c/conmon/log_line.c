#include "log.h"

#include <string.h>

size_t log_line(const unsigned char *data, size_t size, bool *whole)
{
    const unsigned char *newline = memchr(data, '\n', size);

    *whole = newline != NULL;
    return newline ? (size_t)(newline - data) + 1 : size;
}
