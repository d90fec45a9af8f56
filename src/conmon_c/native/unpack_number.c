/* tar's numbers: octal and base 256 in header fields, decimal in extended headers. */
#include "unpack_internal.h"

/* Base 256: the first byte's high bit marks it, the next one is the sign (GNU tar, star). */
static int decode_binary(const uint8_t *field, size_t size, int64_t *value)
{
    uint8_t fill = field[0] & 0x40 ? 0xff : 0;
    uint64_t number = fill ? UINT64_MAX : 0;
    for (size_t i = 0; i < size; i++) {
        uint8_t byte = field[i];
        if (i == 0)
            byte = (uint8_t)(fill ? byte | 0x80 : byte & 0x7f);
        if (size - i > 8 && byte != fill)
            return -1;
        number = number << 8 | byte;
    }
    if ((fill != 0) != (number >> 63 != 0))
        return -1;
    *value = (int64_t)number;
    return 0;
}

int tar_decode_number(const uint8_t *field, size_t size, int64_t *value)
{
    size_t i = 0;
    uint64_t number = 0;
    if (field[0] & 0x80)
        return decode_binary(field, size, value);
    while (i < size && (field[i] == ' ' || field[i] == '\0'))
        i++;
    for (; i < size && field[i] != ' ' && field[i] != '\0'; i++) {
        if (field[i] < '0' || field[i] > '7')
            return -1;
        number = number << 3 | (uint64_t)(field[i] - '0'); /* at most 12 digits: no overflow */
    }
    *value = (int64_t)number;
    return 0;
}

int tar_parse_decimal(const char *text, size_t size, int64_t *value)
{
    bool negative = size > 0 && text[0] == '-';
    size_t i = negative ? 1 : 0;
    uint64_t number = 0;
    if (i == size)
        return -1;
    for (; i < size; i++) {
        if (text[i] < '0' || text[i] > '9')
            return -1;
        if (number > (INT64_MAX - 9) / 10)
            return -1;
        number = number * 10 + (uint64_t)(text[i] - '0');
    }
    *value = negative ? -(int64_t)number : (int64_t)number;
    return 0;
}
