/* Makes network namespaces, and sockets in others, without leaving the caller's own. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "syscalls.h"

#define STACK_SIZE (32 * 1024)

struct netns_request {
    const char *path; /* where to mount it, or NULL */
    int kind;
    int made[2]; /* without a path: its descriptor and that of a socket, written by the child into the parent's memory */
    int error;   /* 0 or -errno, too */
};

struct begun_netns {
    struct netns_request request;
    pthread_t thread;
    bool runs;
};

struct socket_request {
    int netns;
    int family;
    int type;
    const int *protocols;
    int count;
    int *made;
    int error; /* 0 or -errno, written by the child */
};

struct setting {
    int kinds;
    const char *path;
    const char *value;
};

/* Documentation/networking/ip-sysctl.rst. What a kernel lacks (IPv6, br_netfilter, new names) can't matter in it. */
static const struct setting SETTINGS[] = {
    {PODPY_NETNS_OPEN_TO_ALL, "/proc/sys/net/ipv4/ip_unprivileged_port_start", "0"},
    {PODPY_NETNS_OPEN_TO_ALL, "/proc/sys/net/ipv4/ping_group_range", "0 65535"},
    /* A neighbour on the bridge may not become the router by saying so. */
    {PODPY_NETNS_NEIGHBOURS, "/proc/sys/net/ipv6/conf/default/accept_ra", "0"},
    {PODPY_NETNS_NEIGHBOURS, "/proc/sys/net/ipv6/conf/default/accept_redirects", "0"},
    {PODPY_NETNS_NEIGHBOURS, "/proc/sys/net/ipv4/conf/default/accept_redirects", "0"},
    {PODPY_NETNS_NEIGHBOURS, "/proc/sys/net/ipv4/conf/all/accept_redirects", "0"}, /* one of the two is enough */
    /* Addresses are given by podpy, none twice, and count at once. */
    {PODPY_NETNS_NEIGHBOURS | PODPY_NETNS_ROUTER, "/proc/sys/net/ipv6/conf/default/accept_dad", "0"},
    /* podpy-forward's connections come from few addresses (from the gateway, for the host's loopback device): a port in
       TIME_WAIT is taken again after a second. Else 28,000 connections a minute were the limit, and looking for a port
       slow long before. */
    {PODPY_NETNS_ROUTER, "/proc/sys/net/ipv4/tcp_tw_reuse", "1"},
    {PODPY_NETNS_ROUTER, "/proc/sys/net/ipv6/conf/all/forwarding", "1"},
    /* A container with two networks may answer by the other one: a strict filter, as some hosts have it, drops that. */
    {PODPY_NETNS_ROUTER, "/proc/sys/net/ipv4/conf/all/rp_filter", "0"},
    {PODPY_NETNS_ROUTER, "/proc/sys/net/ipv4/conf/default/rp_filter", "2"},
    {PODPY_NETNS_ROUTER, "/proc/sys/net/ipv4/conf/all/send_redirects", "0"},
    {PODPY_NETNS_ROUTER, "/proc/sys/net/ipv4/conf/default/send_redirects", "0"},
    /* On by default where br_netfilter is there: what stays on a bridge needs no IP tables. */
    {PODPY_NETNS_ROUTER, "/proc/sys/net/bridge/bridge-nf-call-iptables", "0"},
    {PODPY_NETNS_ROUTER, "/proc/sys/net/bridge/bridge-nf-call-ip6tables", "0"},
    {PODPY_NETNS_ROUTER, "/proc/sys/net/bridge/bridge-nf-call-arptables", "0"},
    /* pasta offers a peer on its own host that peer's whole window, drops what its socket's buffer has no room for, and
     * leaves it to the sender's timer to find out. So less is on the way at once, and that timer is short: it is about
     * the way to pasta alone, which itself sends again what the network loses. */
    {PODPY_NETNS_BY_PASTA, "/proc/sys/net/ipv4/tcp_wmem", "4096 16384 524288"},
    {PODPY_NETNS_BY_PASTA, "/proc/sys/net/ipv4/tcp_rto_min_us", "10000"}, /* Linux 6.11 */
};
static const char IP_FORWARD[] = "/proc/sys/net/ipv4/ip_forward";

int podpy_loopback_up(void)
{
    struct ifreq request;
    int error = 0;
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0 && errno == EAFNOSUPPORT) /* a kernel without IPv4 */
        fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    memset(&request, 0, sizeof request);
    strcpy(request.ifr_name, "lo");
    if (ioctl(fd, SIOCGIFFLAGS, &request) < 0)
        error = -errno;
    request.ifr_flags |= IFF_UP;
    if (!error && ioctl(fd, SIOCSIFFLAGS, &request) < 0)
        error = -errno;
    close(fd);
    return error;
}

static int write_setting(const char *path, const char *value)
{
    int error = 0;
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    if (write(fd, value, strlen(value)) < 0)
        error = -errno;
    close(fd);
    return error;
}

/* Only the one without which a router is none must succeed. A container that lacks ping (too few group ids for its
 * range) can start. */
static int write_settings(int kind)
{
    /* First: it sets several other ones, as a router's (ip-sysctl.rst, ip_forward). */
    int error = kind & PODPY_NETNS_ROUTER ? write_setting(IP_FORWARD, "1") : 0;
    for (size_t i = 0; i < sizeof SETTINGS / sizeof SETTINGS[0]; i++)
        if (kind & SETTINGS[i].kinds)
            write_setting(SETTINGS[i].path, SETTINGS[i].value);
    return error;
}

/* Runs a function in a child that shares our memory (and, with CLONE_FILES, our descriptors), and sleeps until it has
 * ended (like vfork): nothing is copied, so the cost is only what it does. unshare() or setns() and back was rejected:
 * another thread, or an error in between, would find the process in the wrong namespace. Signals are blocked meanwhile:
 * no handler may run on the child's stack. Returns 0 or -errno. */
static int run_aside(int (*function)(void *), int flags, void *argument)
{
    char stack[STACK_SIZE] __attribute__((aligned(64)));
    sigset_t all, before;
    int status, error = 0;
    pid_t child;

    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &before);
    child = clone(function, stack + sizeof stack, CLONE_VM | CLONE_VFORK | SIGCHLD | flags, argument);
    if (child < 0)
        error = -errno;
    else
        while (waitpid(child, &status, 0) < 0 && errno == EINTR)
            ;
    sigprocmask(SIG_SETMASK, &before, NULL);
    return error;
}

static int open_own(int made[2])
{
    made[0] = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    if (made[0] < 0)
        return -errno;
    made[1] = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    if (made[1] < 0) {
        int error = -errno;
        close(made[0]);
        return error;
    }
    return 0;
}

static int in_new_netns(void *argument)
{
    struct netns_request *request = argument;
    request->error = podpy_loopback_up();
    if (!request->error)
        request->error = write_settings(request->kind);
    if (!request->error && request->path == NULL)
        request->error = open_own(request->made);
    else if (!request->error && mount("/proc/self/ns/net", request->path, NULL, MS_BIND, NULL) < 0)
        request->error = -errno;
    return 0;
}

int podpy_make_netns(const char *path, int kind)
{
    struct netns_request request = {.path = path, .kind = kind, .error = 0};
    int error = run_aside(in_new_netns, CLONE_NEWNET, &request);
    return error ? error : request.error;
}

static void *in_thread(void *argument)
{
    struct netns_request *request = argument;
    if (unshare(CLONE_NEWNET) < 0) /* this thread alone is in it */
        request->error = -errno;
    else
        in_new_netns(request);
    return NULL;
}

void *podpy_begin_netns(int kind)
{
    sigset_t all, before;
    struct begun_netns *begun = calloc(1, sizeof *begun);

    if (begun == NULL)
        return NULL;
    begun->request.kind = kind;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, &before); /* signals are the caller's */
    begun->runs = pthread_create(&begun->thread, NULL, in_thread, &begun->request) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return begun;
}

int podpy_finish_netns(void *argument, int made[2])
{
    struct begun_netns *begun = argument;
    int error = 0;

    if (begun->runs)
        pthread_join(begun->thread, NULL);
    else /* no thread was to be had */
        error = run_aside(in_new_netns, CLONE_NEWNET | CLONE_FILES, &begun->request);
    if (!error)
        error = begun->request.error;
    memcpy(made, begun->request.made, sizeof begun->request.made);
    free(begun);
    return error;
}

static int open_sockets(void *argument)
{
    struct socket_request *request = argument;
    int made = 0;
    if (setns(request->netns, CLONE_NEWNET) == 0)
        for (; made < request->count; made++) {
            request->made[made] = socket(request->family, request->type | SOCK_CLOEXEC, request->protocols[made]);
            if (request->made[made] < 0)
                break;
        }
    if (made == request->count)
        return 0;
    request->error = -errno;
    while (made-- > 0)
        close(request->made[made]);
    return 0;
}

int podpy_netns_sockets(int netns, int family, int type, const int *protocols, int count, int *made)
{
    struct socket_request request = {.netns = netns,
                                     .family = family,
                                     .type = type,
                                     .protocols = protocols,
                                     .count = count,
                                     .made = made,
                                     .error = 0};
    int error = run_aside(open_sockets, CLONE_FILES, &request);
    return error ? error : request.error;
}
