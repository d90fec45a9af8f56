/* Escapes text for JSON strings. */
#ifndef PODPY_CONMON_JSON_H
#define PODPY_CONMON_JSON_H

#include "util.h"

/* Returns the length of the UTF-8 sequence that starts here: 1 to 4; 0: invalid; -1: more bytes are needed. */
int json_sequence(const unsigned char *at, size_t size);

/* Returns whether a byte needs no escape in a JSON string. */
static inline bool json_is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

/* Escapes one other ASCII byte: at most 7 bytes with the NUL. Returns the number without the NUL. */
int json_escape_byte(char *to, unsigned char c);

/* Escapes a whole text into `to`, which has room for JSON_ROOM(size) bytes. Bytes that aren't UTF-8 become the
   replacement character, since JSON is Unicode. Returns the end, which holds a NUL. */
#define JSON_ROOM(size) (6 * (size) + 1)
char *json_escape(char *to, const unsigned char *at, size_t size);

#endif
