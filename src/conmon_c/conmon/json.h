/* Texts as contents of JSON strings. */
#ifndef PODPY_CONMON_JSON_H
#define PODPY_CONMON_JSON_H

#include "util.h"

/* Length of the UTF-8 sequence that starts here: 1 to 4; 0 if it isn't one; -1 if more bytes are needed to tell. */
int json_sequence(const unsigned char *at, size_t size);

/* Whether a byte stands in a JSON string as it is. */
static inline bool json_is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

/* One ASCII byte that can't, escaped: at most 7 bytes with the end. Returns the number without the end. */
int json_escape_byte(char *to, unsigned char c);

/* All of it into `to`, which has room for JSON_ROOM(size) bytes: JSON is Unicode, so what isn't UTF-8 becomes the
   replacement character. Returns the end, where a zero byte stands. */
#define JSON_ROOM(size) (6 * (size) + 1)
char *json_escape(char *to, const unsigned char *at, size_t size);

#endif
