/* DNS messages (RFC 1035, section 4; RFC 6891 for EDNS): a question is read, an answer is written. Pure functions.
 *
 * Everything here comes from containers or from the network: no length in it is believed.
 */
#ifndef PODPY_RESOLVER_MESSAGE_H
#define PODPY_RESOLVER_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    HEADER_SIZE = 12,
    QUERY_SIZE = 1232,    /* the longest question that is taken, and answer by UDP: IPv6's smallest MTU holds it */
    MESSAGE_SIZE = 65535, /* what TCP's length field can say */
    PLAIN_UDP_SIZE = 512, /* without EDNS */
    NAME_SIZE = 256,      /* a name as text, with its NUL: 255 bytes on the wire are the limit */
};

enum rcode { NOERROR = 0, FORMERR = 1, SERVFAIL = 2, NXDOMAIN = 3, NOTIMP = 4, REFUSED = 5, BADVERS = 16 };
enum type { TYPE_A = 1, TYPE_PTR = 12, TYPE_AAAA = 28, TYPE_OPT = 41 };
enum { CLASS_IN = 1, CLASS_ANY = 255 };

struct question {
    char name[NAME_SIZE]; /* lower case, dots between labels, none at the end */
    size_t length;        /* of the name */
    unsigned labels;
    bool plain; /* no dot or control character within a label: the text says it all */
    uint16_t type;
    uint16_t class;
    size_t end;      /* of the question section in the message */
    bool edns;       /* it came with an OPT record */
    size_t udp_size; /* the longest answer by UDP that its sender takes, at most QUERY_SIZE */
};

uint16_t message_id(const uint8_t *message);
void message_set_id(uint8_t *message, uint16_t id);
bool message_is_answer(const uint8_t *message);
bool message_is_truncated(const uint8_t *message);
enum rcode message_rcode(const uint8_t *message);

/* Reads a message of at least HEADER_SIZE bytes. Returns NOERROR, or the code that its sender gets. `question` is
   always filled as far as it was understood; its `end` is HEADER_SIZE if not even the name was. */
enum rcode question_parse(const uint8_t *message, size_t size, struct question *question);

/* True if `answer` answers this query: same id, same question. */
bool message_matches(const uint8_t *answer, size_t size, const uint8_t *query, size_t query_size);

struct answer {
    uint8_t *data; /* MESSAGE_SIZE bytes */
    size_t size;
    size_t limit;
    bool edns;
    enum rcode rcode;
    uint16_t count;
    bool truncated;
};

/* Begins an answer of at most `limit` bytes: the query's header and question. */
void answer_begin(struct answer *answer, const uint8_t *query, const struct question *question, size_t limit);

/* Adds a record about the asked name, TTL 0: addresses can have another owner at the next moment. What doesn't fit
   marks the answer as truncated. */
void answer_add(struct answer *answer, enum type type, const void *data, size_t size);
void answer_add_name(struct answer *answer, enum type type, const char *name);

/* Completes it and returns its size. */
size_t answer_end(struct answer *answer, enum rcode rcode);

#endif
