#define _GNU_SOURCE
#include "json.h"

#include <stdio.h>
#include <string.h>

#define REPLACEMENT "\xef\xbf\xbd"

int json_sequence(const unsigned char *at, size_t size)
{
    unsigned char c = at[0];
    int need = c < 0x80 ? 1 : c >= 0xc2 && c < 0xe0 ? 2 : c >= 0xe0 && c < 0xf0 ? 3 : c >= 0xf0 && c < 0xf5 ? 4 : 0;
    unsigned char low = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : 0x80;
    unsigned char high = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : 0xbf;

    for (int i = 1; i < need; i++) {
        if ((size_t)i >= size)
            return -1;
        if (at[i] < low || at[i] > high)
            return 0;
        low = 0x80;
        high = 0xbf;
    }
    return need;
}

int json_escape_byte(char *to, unsigned char c)
{
    if (c == '"' || c == '\\')
        return sprintf(to, "\\%c", c);
    if (c == '\n' || c == '\r' || c == '\t')
        return sprintf(to, "\\%c", c == '\n' ? 'n' : c == '\r' ? 'r' : 't');
    return sprintf(to, "\\u%04x", c);
}

char *json_escape(char *to, const unsigned char *at, size_t size)
{
    while (size > 0) {
        int length = at[0] < 0x80 ? 1 : json_sequence(at, size);
        if (length <= 0) {
            to = stpcpy(to, REPLACEMENT);
            length = 1;
        } else if (length == 1 && !json_is_plain(at[0])) {
            to += json_escape_byte(to, at[0]);
        } else {
            memcpy(to, at, (size_t)length);
            to += length;
        }
        at += length;
        size -= (size_t)length;
    }
    *to = '\0';
    return to;
}
