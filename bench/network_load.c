/* Load for published ports: `serve` in the container, the others beside it. All in one thread, with epoll.
 *
 *     network_load serve PORT                      answers each connection's first bytes, and closes it at their end
 *     network_load echo PORT                       sends each datagram back
 *     network_load short HOST PORT SECONDS WIDTH   WIDTH connections at a time: prints how many a second
 *     network_load hold HOST PORT COUNT            COUNT connections at the same time, each answered: prints how many
 *     network_load datagrams HOST PORT COUNT       WINDOW on their way at a time: prints answers and losses
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define WINDOW 32
#define QUESTION "GET / HTTP/1.0\r\n\r\n"

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void give_up(const char *what)
{
    perror(what);
    exit(1);
}

static struct sockaddr_in place(const char *host, const char *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
    inet_pton(AF_INET, host, &address.sin_addr);
    return address;
}

static int bound(const char *port, int type)
{
    struct sockaddr_in address = place("0.0.0.0", port);
    int fd = socket(AF_INET, type, 0), on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0)
        give_up("bind");
    return fd;
}

static void watch(int epoll, int fd, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.fd = fd};
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

static void serve(const char *port)
{
    static char answer[256] = "HTTP/1.0 200 OK\r\n\r\nhello";
    int listener = bound(port, SOCK_STREAM), epoll = epoll_create1(0);
    struct epoll_event events[64];
    listen(listener, 4096);
    watch(epoll, listener, EPOLLIN);
    for (;;) {
        int count = epoll_wait(epoll, events, 64, -1);
        for (int i = 0; i < count; i++) {
            int fd = events[i].data.fd;
            char buffer[4096];
            if (fd == listener) {
                int client = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
                if (client >= 0)
                    watch(epoll, client, EPOLLIN);
            } else if (read(fd, buffer, sizeof buffer) <= 0 || write(fd, answer, sizeof answer) < 0) {
                close(fd);
            }
        }
    }
}

static void echo(const char *port)
{
    int fd = bound(port, SOCK_DGRAM);
    char buffer[65536];
    struct sockaddr_in from;
    for (;;) {
        socklen_t size = sizeof from;
        ssize_t n = recvfrom(fd, buffer, sizeof buffer, 0, (struct sockaddr *)&from, &size);
        if (n >= 0)
            sendto(fd, buffer, (size_t)n, 0, (struct sockaddr *)&from, size);
    }
}

static int begin(int epoll, const struct sockaddr_in *address)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (fd < 0)
        give_up("socket");
    if (connect(fd, (const struct sockaddr *)address, sizeof *address) < 0 && errno != EINPROGRESS)
        give_up("connect");
    watch(epoll, fd, EPOLLOUT);
    return fd;
}

static void ask(int epoll, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    if (write(fd, QUESTION, sizeof QUESTION - 1) < 0)
        give_up("write");
    epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event);
}

/* Each asks once, is answered once, and is closed; then the next one. */
static void short_ones(const struct sockaddr_in *address, double seconds, int width)
{
    int epoll = epoll_create1(0);
    long done = 0, failed = 0;
    struct epoll_event events[64];
    double began = now();
    for (int i = 0; i < width; i++)
        begin(epoll, address);
    while (now() - began < seconds) {
        int count = epoll_wait(epoll, events, 64, 1000);
        for (int i = 0; i < count; i++) {
            int fd = events[i].data.fd;
            char buffer[4096];
            if (events[i].events == EPOLLOUT) {
                ask(epoll, fd);
                continue;
            }
            *(read(fd, buffer, sizeof buffer) > 0 ? &done : &failed) += 1;
            close(fd);
            begin(epoll, address);
        }
    }
    printf("%.0f %ld\n", (double)done / (now() - began), failed);
}

static void hold(const struct sockaddr_in *address, int count)
{
    int *fds = calloc((size_t)count, sizeof *fds), answered = 0;
    char buffer[4096];
    for (int i = 0; i < count; i++) {
        fds[i] = socket(AF_INET, SOCK_STREAM, 0);
        if (fds[i] < 0 || connect(fds[i], (const struct sockaddr *)address, sizeof *address) < 0)
            give_up("connect");
    }
    for (int i = 0; i < count; i++)
        if (write(fds[i], QUESTION, sizeof QUESTION - 1) < 0)
            give_up("write");
    for (int i = 0; i < count; i++)
        answered += read(fds[i], buffer, sizeof buffer) > 0;
    printf("%d\n", answered);
    fflush(stdout);
    getchar(); /* until the caller has looked at the forwarder */
}

static void datagrams(const struct sockaddr_in *address, long count)
{
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    long sent = 0, lost = 0, got = 0;
    char buffer[200] = {0};
    double began = now();
    if (connect(fd, (const struct sockaddr *)address, sizeof *address) < 0)
        give_up("connect");
    while (got + lost < count) {
        while (sent < count && sent - got - lost < WINDOW && send(fd, buffer, sizeof buffer, 0) > 0)
            sent++;
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        if (poll(&wait, 1, 1000) == 0)
            lost = sent - got;
        while (recv(fd, buffer, sizeof buffer, MSG_DONTWAIT) > 0)
            got++;
    }
    printf("%.0f %ld\n", (double)got / (now() - began), lost);
}

int main(int argc, char **argv)
{
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    const char *kind = argc > 2 ? argv[1] : "";
    if (strcmp(kind, "serve") == 0)
        serve(argv[2]);
    if (strcmp(kind, "echo") == 0)
        echo(argv[2]);
    if (argc < 5)
        return 2;
    struct sockaddr_in address = place(argv[2], argv[3]);
    if (strcmp(kind, "short") == 0)
        short_ones(&address, atof(argv[4]), argc > 5 ? atoi(argv[5]) : 16);
    else if (strcmp(kind, "hold") == 0)
        hold(&address, atoi(argv[4]));
    else
        datagrams(&address, atol(argv[4]));
    return 0;
}
