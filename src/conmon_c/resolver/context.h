/* The one object of the process: all tables have a fixed size, nothing is allocated for a question. */
#ifndef PODPY_RESOLVER_CONTEXT_H
#define PODPY_RESOLVER_CONTEXT_H

#include <sys/stat.h>

#include "address.h"
#include "loop.h"
#include "message.h"
#include "names.h"

enum {
    MOST_LISTENERS = 256,  /* addresses, each with UDP and TCP */
    MOST_PENDING = 512,    /* questions that others are asked for a client */
    MOST_PER_CLIENT = 64,  /* of them, for one address */
    MOST_CLIENTS = 64,     /* connections by TCP */
    MOST_CLIENTS_EACH = 8, /* of them, from one address */
    MOST_STREAMS = 16,     /* connections by TCP to servers */
    IDLE_MS = 10000,       /* a connection by TCP without a question ends */
    TRY_MS = 1500,         /* a server that hasn't answered by then: the next one, or once more */
    STREAM_MS = 3000,      /* the same by TCP */
    MOST_TRIES = 3,        /* less than 5 seconds, when C libraries ask again */
    RETRY_MS = 1000,       /* an address that can't be listened on is tried again */
    DNS_PORT = 53,
};

struct listener {
    struct address address; /* family 0: free */
    struct source udp;
    struct source tcp;
};

/* A connection of a client by TCP. It has one question at a time: the next is read when it has its answer. */
struct client {
    struct source source;
    struct listener *listener;
    struct sockaddr_storage name;
    int64_t deadline;
    bool waiting;
    size_t have;
    uint8_t buffer[2 + QUERY_SIZE];
};

/* Where a question came from, and its answer goes to. */
struct origin {
    struct listener *listener;
    struct client *client; /* NULL: by UDP */
    struct sockaddr_storage name;
    socklen_t name_size;
};

/* A server's answer by TCP, or a part of it. */
struct stream {
    bool used;
    bool asked;
    size_t have;
    uint8_t buffer[2 + MESSAGE_SIZE];
};

/* A question that a server is asked. */
struct pending {
    bool used;
    struct source source; /* a socket of its own, so a random port of its own */
    struct origin origin;
    struct address client;
    struct address servers[MOST_SERVERS];
    size_t server_count;
    bool own_servers; /* of the container or its networks, not the host's */
    unsigned tries;
    int64_t deadline;
    struct stream *stream; /* it is asked by TCP */
    uint16_t client_id;
    size_t udp_size;
    size_t size;
    uint8_t query[QUERY_SIZE];
};

/* The host's servers, as its resolv.conf says. */
struct upstreams {
    const char *path;
    struct stat seen;
    struct address servers[MOST_SERVERS];
    size_t count;
};

struct context {
    int epoll_fd;
    int directory_fd; /* with `netns` and the folder `names` */
    int names_fd;
    int netns_fd;
    struct source events; /* inotify */
    int directory_watch;
    struct names *names;
    struct upstreams upstreams;
    int64_t listen_again; /* 0: all listeners are open */
    size_t pending_count;
    size_t client_count;
    struct listener listeners[MOST_LISTENERS];
    struct client clients[MOST_CLIENTS];
    struct pending pending[MOST_PENDING];
    struct stream streams[MOST_STREAMS];
    const struct address *found[MOST_FOUND];
    const char *found_names[MOST_FOUND];
    uint8_t packet[MESSAGE_SIZE];
    uint8_t answer[MESSAGE_SIZE];
};

#endif
