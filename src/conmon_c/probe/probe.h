/* probe: asks a server once, and says with its exit status whether that is well (0), or isn't (1).

   A probe runs in a container's network namespace and reads what the container answers, so nothing here may trust it:
   buffers have fixed sizes, and confine() leaves only calls on sockets. Time is bounded by the caller, who kills us. */
#ifndef PODPY_PROBE_H
#define PODPY_PROBE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>

#define PRINTF(at, first) __attribute__((format(printf, at, first)))
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define WELL 0
#define ILL 1
#define WRONG 2 /* the command line */

#define ADDRESSES 16
#define HOST_SIZE 64 /* an address as text */
#define PORT_SIZE 6

/* HOST:PORT as it was given; brackets around an IPv6 address are left out of `host`. */
struct place {
    char host[HOST_SIZE];
    char port[PORT_SIZE];
};

/* Where the host is: the address itself, or, for `localhost`, all addresses of this network namespace. */
struct addresses {
    struct sockaddr_storage list[ADDRESSES];
    size_t count;
};

/* dial.c. place_read() reads HOST:PORT, up to `end`. dial() returns a connected socket; or -1, and then `why` is the
   reason in Go's words, which the kubelet prints. */
bool place_read(struct place *place, const char *text, const char *end);
bool addresses_find(struct addresses *addresses, const char *host);
int dial(const struct addresses *addresses, const char *port, char *why, size_t size);

/* The address's and the error's text, as Go has them: "127.0.0.1:80", "connection refused". */
const char *reason(int number);

/* Writes all bytes; false with errno. */
bool send_all(int fd, const void *data, size_t size);

/* Each writes what it has found to stdout and returns an exit status. */
int probe_http(const struct addresses *addresses, char **words);
int probe_grpc(const struct addresses *addresses, const struct place *place, const char *service);

/* confine.c: no capabilities and no new ones; and then no calls but those on sockets and memory. */
void drop_rights(void);
void confine(void);

#endif
