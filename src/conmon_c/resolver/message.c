#include "message.h"

#include <string.h>

enum {
    AT_FLAGS = 2,
    AT_QUESTIONS = 4,
    AT_ANSWERS = 6,
    AT_AUTHORITIES = 8,
    AT_ADDITIONAL = 10,
    FLAG_ANSWER = 0x8000,
    FLAG_TRUNCATED = 0x0200,
    FLAG_RECURSION_DESIRED = 0x0100,
    FLAG_RECURSION_AVAILABLE = 0x0080,
    OPCODE = 0x7800,
    RCODE = 0x000f,
    POINTER = 0xc0,
    POINTER_TO_QUESTION = 0xc00c,
    MOST_LABEL = 63,
    MOST_NAME = 255, /* on the wire */
    MOST_ADDITIONAL = 8,
    RECORD_SIZE = 10, /* after the name: type, class, TTL, length */
    OPT_SIZE = 11,
};

static uint16_t get16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

static void put16(uint8_t *at, unsigned value)
{
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

uint16_t message_id(const uint8_t *message)
{
    return get16(message);
}

void message_set_id(uint8_t *message, uint16_t id)
{
    put16(message, id);
}

bool message_is_answer(const uint8_t *message)
{
    return get16(message + AT_FLAGS) & FLAG_ANSWER;
}

bool message_is_truncated(const uint8_t *message)
{
    return get16(message + AT_FLAGS) & FLAG_TRUNCATED;
}

enum rcode message_rcode(const uint8_t *message)
{
    return get16(message + AT_FLAGS) & RCODE;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

/* Reads the question's name. Nothing is before it that a compression pointer could mean, so there may be none. Returns
   the place after it, or 0. */
static size_t read_name(const uint8_t *message, size_t size, struct question *question)
{
    size_t at = HEADER_SIZE;

    while (at < size && message[at] != 0) {
        size_t length = message[at++];
        if (length > MOST_LABEL || length > size - at || at + length - HEADER_SIZE >= MOST_NAME)
            return 0;
        if (question->labels++ > 0)
            question->name[question->length++] = '.';
        for (size_t i = 0; i < length; i++, at++) {
            if (message[at] <= ' ' || message[at] == '.')
                question->plain = false;
            question->name[question->length++] = lower((char)message[at]);
        }
    }
    question->name[question->length] = '\0';
    return at < size ? at + 1 : 0;
}

/* Returns the place after a name that isn't needed, or 0. A pointer ends it, so that there is no loop. */
static size_t skip_name(const uint8_t *message, size_t size, size_t at)
{
    while (at < size) {
        size_t length = message[at++];
        if (length == 0)
            return at;
        if ((length & POINTER) == POINTER)
            return at < size ? at + 1 : 0;
        if (length > MOST_LABEL || length > size - at)
            return 0;
        at += length;
    }
    return 0;
}

/* Looks for the OPT record. What a sender says of its buffer counts up to a limit: longer answers go by TCP. */
static enum rcode read_additional(const uint8_t *message, size_t size, struct question *question)
{
    size_t at = question->end;
    unsigned count = get16(message + AT_ADDITIONAL);

    if (count > MOST_ADDITIONAL)
        return FORMERR;
    for (unsigned i = 0; i < count; i++) {
        at = skip_name(message, size, at);
        if (at == 0 || size - at < RECORD_SIZE || get16(message + at + 8) > size - at - RECORD_SIZE)
            return FORMERR;
        if (get16(message + at) == TYPE_OPT) {
            size_t wanted = get16(message + at + 2);
            if (question->edns)
                return FORMERR;
            question->edns = true;
            if (wanted > PLAIN_UDP_SIZE)
                question->udp_size = wanted < QUERY_SIZE ? wanted : QUERY_SIZE;
            if (message[at + 5] != 0)
                return BADVERS;
        }
        at += RECORD_SIZE + get16(message + at + 8);
    }
    return NOERROR;
}

enum rcode question_parse(const uint8_t *message, size_t size, struct question *question)
{
    size_t at;

    memset(question, 0, sizeof *question);
    question->end = HEADER_SIZE;
    question->udp_size = PLAIN_UDP_SIZE;
    question->plain = true;
    if (get16(message + AT_FLAGS) & OPCODE)
        return NOTIMP;
    if (get16(message + AT_QUESTIONS) != 1 || get16(message + AT_ANSWERS) != 0)
        return FORMERR;
    at = read_name(message, size, question);
    if (at == 0 || size - at < 4)
        return FORMERR;
    question->type = get16(message + at);
    question->class = get16(message + at + 2);
    question->end = at + 4;
    if (get16(message + AT_AUTHORITIES) != 0)
        return NOTIMP; /* IXFR has a record here, and is no question for a container's resolver */
    return read_additional(message, size, question);
}

bool message_matches(const uint8_t *answer, size_t size, const uint8_t *query, size_t query_size)
{
    struct question asked;

    if (size < HEADER_SIZE || !message_is_answer(answer) || message_id(answer) != message_id(query))
        return false;
    question_parse(query, query_size, &asked);
    if (size < asked.end || get16(answer + AT_QUESTIONS) != 1)
        return false;
    for (size_t i = HEADER_SIZE; i < asked.end; i++)
        if (lower((char)answer[i]) != lower((char)query[i]))
            return false;
    return true;
}

void answer_begin(struct answer *answer, const uint8_t *query, const struct question *question, size_t limit)
{
    unsigned flags = FLAG_ANSWER | FLAG_RECURSION_AVAILABLE
                     | (get16(query + AT_FLAGS) & (OPCODE | FLAG_RECURSION_DESIRED));

    memcpy(answer->data, query, question->end);
    put16(answer->data + AT_FLAGS, flags);
    put16(answer->data + AT_QUESTIONS, question->end > HEADER_SIZE);
    answer->size = question->end;
    answer->limit = limit - (question->edns ? OPT_SIZE : 0);
    answer->edns = question->edns;
    answer->rcode = NOERROR;
    answer->count = 0;
    answer->truncated = false;
}

void answer_add(struct answer *answer, enum type type, const void *data, size_t size)
{
    uint8_t *at = answer->data + answer->size;

    if (answer->size + 2 + RECORD_SIZE + size > answer->limit) {
        answer->truncated = true;
        return;
    }
    put16(at, POINTER_TO_QUESTION);
    put16(at + 2, type);
    put16(at + 4, CLASS_IN);
    memset(at + 6, 0, 4); /* TTL */
    put16(at + 10, (unsigned)size);
    memcpy(at + 12, data, size);
    answer->size += 12 + size;
    answer->count++;
}

void answer_add_name(struct answer *answer, enum type type, const char *name)
{
    uint8_t wire[MOST_NAME];
    size_t at = 0;

    while (*name != '\0') {
        size_t length = strcspn(name, ".");
        if (length == 0 || length > MOST_LABEL || at + length + 2 > sizeof wire)
            return; /* a name that DNS can't say */
        wire[at++] = (uint8_t)length;
        memcpy(wire + at, name, length);
        at += length;
        name += length + (name[length] == '.');
    }
    wire[at++] = 0;
    answer_add(answer, type, wire, at);
}

size_t answer_end(struct answer *answer, enum rcode rcode)
{
    unsigned flags = get16(answer->data + AT_FLAGS) | ((unsigned)rcode & RCODE);

    if (answer->truncated)
        flags |= FLAG_TRUNCATED;
    put16(answer->data + AT_FLAGS, flags);
    put16(answer->data + AT_ANSWERS, answer->count);
    put16(answer->data + AT_AUTHORITIES, 0);
    put16(answer->data + AT_ADDITIONAL, answer->edns);
    if (answer->edns) {
        uint8_t *at = answer->data + answer->size;
        memset(at, 0, OPT_SIZE); /* the root's name; version 0, no flags, no options */
        put16(at + 1, TYPE_OPT);
        put16(at + 3, QUERY_SIZE);
        at[5] = (uint8_t)(rcode >> 4);
        answer->size += OPT_SIZE;
    }
    return answer->size;
}
