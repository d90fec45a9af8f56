#define _GNU_SOURCE
#include "answer.h"

#include <arpa/inet.h>
#include <string.h>

#include "forward.h"
#include "listen.h"

#define V4_ARPA ".in-addr.arpa"
#define V6_ARPA ".ip6.arpa"
enum { NIBBLES = 32 };

static bool ends_with(const struct question *question, const char *suffix)
{
    size_t size = strlen(suffix);

    return question->length >= size && strcmp(question->name + question->length - size, suffix) == 0;
}

/* Cuts the networks' own domain off. Returns true if the name was in it: such a name never leaves this process. */
static bool strip_domain(struct question *question)
{
    if (strcmp(question->name, DOMAIN) == 0)
        return true;
    if (!ends_with(question, "." DOMAIN))
        return false;
    question->length -= strlen("." DOMAIN);
    question->name[question->length] = '\0';
    return true;
}

/* d.c.b.a.in-addr.arpa */
static bool parse_v4(const struct question *question, struct address *address)
{
    char text[INET_ADDRSTRLEN];
    uint8_t reversed[4];
    size_t size = question->length - strlen(V4_ARPA);

    if (size >= sizeof text)
        return false;
    memcpy(text, question->name, size);
    text[size] = '\0';
    if (inet_pton(AF_INET, text, reversed) != 1)
        return false;
    address->family = AF_INET;
    for (size_t i = 0; i < sizeof reversed; i++)
        address->bytes[i] = reversed[sizeof reversed - 1 - i];
    return true;
}

/* 32 nibbles, the last one first, and ip6.arpa */
static bool parse_v6(const struct question *question, struct address *address)
{
    static const char digits[] = "0123456789abcdef";

    if (question->length != 2 * NIBBLES - 1 + strlen(V6_ARPA))
        return false;
    address->family = AF_INET6;
    for (size_t i = 0; i < NIBBLES; i++) {
        const char *digit = memchr(digits, question->name[2 * i], sizeof digits - 1);
        size_t nibble = NIBBLES - 1 - i;
        if (digit == NULL || question->name[2 * i + 1] != '.')
            return false;
        address->bytes[nibble / 2] |= (uint8_t)((digit - digits) << (nibble % 2 ? 0 : 4));
    }
    return true;
}

static bool is_reverse(const struct question *question, struct address *address)
{
    memset(address, 0, sizeof *address);
    if (question->type != TYPE_PTR)
        return false;
    return (ends_with(question, V4_ARPA) && parse_v4(question, address))
           || (ends_with(question, V6_ARPA) && parse_v6(question, address));
}

static size_t limit_of(const struct origin *origin, const struct question *question)
{
    return origin->client != NULL ? MESSAGE_SIZE : question->udp_size;
}

void answer_code(struct context *ctx, const struct origin *origin, const uint8_t *query, size_t size, enum rcode rcode)
{
    struct answer answer = {.data = ctx->answer};
    struct question question;

    question_parse(query, size, &question);
    answer_begin(&answer, query, &question, limit_of(origin, &question));
    reply(ctx, origin, answer.data, answer_end(&answer, rcode));
}

/* Answers with the addresses of a container's name. Returns false if nobody in view has it. */
static bool answer_addresses(struct context *ctx, const struct origin *origin, const uint8_t *query,
                             const struct question *question, const struct view *view)
{
    struct answer answer = {.data = ctx->answer};
    sa_family_t family = question->type == TYPE_A ? AF_INET : AF_INET6;
    size_t count = question->plain ? names_addresses(ctx->names, view, question->name, ctx->found) : 0;

    if (count == 0)
        return false;
    answer_begin(&answer, query, question, limit_of(origin, question));
    if (question->type != TYPE_A && question->type != TYPE_AAAA) {
        reply(ctx, origin, answer.data, answer_end(&answer, NXDOMAIN)); /* as aardvark-dns: nobody outside is asked */
        return true;
    }
    for (size_t i = 0; i < count; i++)
        if (ctx->found[i]->family == family)
            answer_add(&answer, question->type, ctx->found[i]->bytes, address_size(ctx->found[i]));
    reply(ctx, origin, answer.data, answer_end(&answer, NOERROR));
    return true;
}

/* Answers with the names of a container's address, or with none for a gateway. Returns false for other addresses. */
static bool answer_names(struct context *ctx, const struct origin *origin, const uint8_t *query,
                         const struct question *question, const struct view *view)
{
    struct answer answer = {.data = ctx->answer};
    struct address address;
    size_t count;

    if (!is_reverse(question, &address))
        return false;
    count = names_of(ctx->names, view, &address, ctx->found_names);
    if (count == 0 && !names_has(ctx->names, &address) && !names_is_listener(ctx->names, &address))
        return false;
    answer_begin(&answer, query, question, limit_of(origin, question));
    for (size_t i = 0; i < count; i++)
        answer_add_name(&answer, TYPE_PTR, ctx->found_names[i]);
    reply(ctx, origin, answer.data, answer_end(&answer, count > 0 ? NOERROR : NXDOMAIN));
    return true;
}

void answer_query(struct context *ctx, const struct origin *origin, const uint8_t *query, size_t size)
{
    struct question question;
    struct address client = address_of(&origin->name);
    struct view view;
    enum rcode rcode;
    bool own;

    if (size < HEADER_SIZE || message_is_answer(query)) {
        hang_up(ctx, origin);
        return;
    }
    rcode = size > QUERY_SIZE ? FORMERR : question_parse(query, size, &question);
    if (rcode == NOERROR && question.class != CLASS_IN && question.class != CLASS_ANY)
        rcode = REFUSED;
    if (rcode != NOERROR) {
        answer_code(ctx, origin, query, size < QUERY_SIZE ? size : QUERY_SIZE, rcode);
        return;
    }
    names_view(ctx->names, &origin->listener->address, &client, &view);
    own = strip_domain(&question);
    if (answer_addresses(ctx, origin, query, &question, &view) || answer_names(ctx, origin, query, &question, &view))
        return;
    /* A name of one label is a container's that isn't there (any more), whatever a search list outside makes of it. */
    if (own || question.labels == 1 || view.internal)
        answer_code(ctx, origin, query, size, NXDOMAIN);
    else
        forward_query(ctx, origin, &client, query, size, &question, &view);
}
