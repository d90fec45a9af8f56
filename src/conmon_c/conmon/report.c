#define _GNU_SOURCE
#include "report.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "context.h"

/* Podman's sync pipe is a SOCK_SEQPACKET that it reads through a buffer of 4,096 bytes: what doesn't fit into its
   rest is lost. Pieces whose size divides 4,096 always fit. */
#define PIECE 1024
#define TEXT_MAX 8192

/* At most six bytes for one byte. Returns the end. */
static char *escape(char *to, const char *from)
{
    for (; *from != '\0'; from++) {
        unsigned char c = (unsigned char)*from;
        if (c == '"' || c == '\\') {
            *to++ = '\\';
            *to++ = (char)c;
        } else if (c == '\n') {
            *to++ = '\\';
            *to++ = 'n';
        } else if (c < 0x20 || c == 0x7f) {
            to += sprintf(to, "\\u%04x", c);
        } else {
            *to++ = (char)c;
        }
    }
    return to;
}

static void send_pieces(struct context *ctx, const char *at, size_t left)
{
    while (left > 0) {
        size_t piece = left < PIECE ? left : PIECE;
        if (write_all(ctx->report.fd, at, piece) < 0) {
            if (errno != EPIPE)
                message(ctx, LEVEL_WARN, "write to the sync pipe: %m");
            close_fd(&ctx->report.fd);
            return;
        }
        at += piece;
        left -= piece;
    }
}

void report_number(struct context *ctx, int number, const char *text, bool escaped)
{
    const char *key = ctx->options.api_version ? "data" : ctx->options.exec ? "exit_code" : "pid";
    size_t length = text ? strnlen(text, TEXT_MAX) : 0;
    FREE char *line = NULL;
    FREE char *cut = NULL;
    char *end;

    if (ctx->report.fd < 0)
        return;
    line = malloc(6 * length + 64);
    cut = text ? strndup(text, length) : NULL;
    if (line == NULL)
        return;
    end = line + sprintf(line, "{\"%s\": %d", key, number);
    if (cut != NULL && length > 0) {
        end = stpcpy(end, ", \"message\": \"");
        end = escaped ? stpcpy(end, cut) : escape(end, cut);
        *end++ = '"';
    }
    end = stpcpy(end, "}\n");
    send_pieces(ctx, line, (size_t)(end - line));
}

void report_close(struct context *ctx)
{
    close_fd(&ctx->report.fd);
}
