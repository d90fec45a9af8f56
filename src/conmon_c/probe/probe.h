/* probe: asks a server once; its exit status is 0 if the server is well, 1 if it isn't.

   A probe runs in a container's network namespace and reads the container's answer, which it must not trust: buffers
   have fixed sizes, and confine() leaves only calls on sockets. The caller limits the time and kills the probe. */
#ifndef PODPY_PROBE_H
#define PODPY_PROBE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

#define PRINTF(at, first) __attribute__((format(printf, at, first)))
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define WELL 0
#define ILL 1
#define WRONG 2 /* the command line is wrong */

#define ADDRESSES 16
#define HOST_SIZE 64 /* an address as text */
#define PORT_SIZE 6

/* HOST:PORT as given; `host` has no brackets around an IPv6 address. */
struct place {
    char host[HOST_SIZE];
    char port[PORT_SIZE];
};

/* A host's addresses: one, or for `localhost` all of this network namespace. */
struct addresses {
    struct sockaddr_storage list[ADDRESSES];
    size_t count;
};

/* dial.c. place_read() reads HOST:PORT, up to `end`. dial() returns a connected socket; or -1 with `why`, the
   reason in Go's words, as the kubelet prints it. */
bool place_read(struct place *place, const char *text, const char *end);
bool addresses_find(struct addresses *addresses, const char *host);
int dial(const struct addresses *addresses, const char *port, char *why, size_t size);

/* An errno's text as Go writes it: "connection refused". */
const char *reason(int number);

/* Writes all bytes; false with errno. */
bool send_all(int fd, const void *data, size_t size);

/* Each writes its result to stdout and returns an exit status. */
int probe_http(const struct addresses *addresses, char **words);
int probe_grpc(const struct addresses *addresses, const struct place *place, const char *service);

/* calls.c: drops all capabilities, and all system calls but those on sockets and memory. */
void confine(void);

#endif
