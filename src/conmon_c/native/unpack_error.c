#include <stdarg.h>
#include <stdio.h>

#include "unpack_internal.h"

int unpack_fail(struct unpack_error *error, int code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->text, sizeof error->text, format, arguments);
    va_end(arguments);
    error->code = code;
    return -1;
}
