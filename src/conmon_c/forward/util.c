#define _GNU_SOURCE
#include "util.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

int fail(struct error *err, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(err->text, sizeof(err->text), format, args);
    va_end(args);
    return -1;
}

void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

bool parse_number(const char *text, int most, int *value)
{
    int64_t number = 0;

    if (text == NULL || *text == '\0')
        return false;
    for (; *text != '\0'; text++) {
        if (*text < '0' || *text > '9')
            return false;
        number = number * 10 + (*text - '0');
        if (number > most)
            return false;
    }
    *value = (int)number;
    return true;
}

char *next_word(char **text)
{
    char *at = *text;

    while (*at == ' ')
        at++;
    if (*at == '\0')
        return NULL;
    char *word = at;
    while (*at != ' ' && *at != '\0')
        at++;
    if (*at == ' ')
        *at++ = '\0';
    *text = at;
    return word;
}

int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
