#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "pack_internal.h"

int text_append(struct text *text, const void *data, size_t size, struct unpack_error *error)
{
    size_t wanted = text->size + size + 1;
    if (wanted > text->room) {
        char *grown = realloc(text->data, wanted * 2);
        if (!grown)
            return unpack_fail(error, ENOMEM, "out of memory");
        text->data = grown;
        text->room = wanted * 2;
    }
    if (size)
        memcpy(text->data + text->size, data, size);
    text->size += size;
    text->data[text->size] = '\0';
    return 0;
}

void text_cut(struct text *text, size_t size)
{
    text->size = size;
    if (text->data)
        text->data[size] = '\0';
}

void text_free(struct text *text)
{
    free(text->data);
    *text = (struct text){ 0 };
}
