/* A link with a delay between two network namespaces, for kernels without netem:
 *
 *     delay_link NETNS NETNS MILLISECONDS [MBIT_PER_SECOND QUEUE_BYTES]
 *
 * Makes the TUN device `far` in both, with segmentation offload, says "ready" and carries packets until it is ended. The
 * delay is for one way. With a rate, what comes while more than the queue's bytes wait is dropped. Needs CAP_SYS_ADMIN. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <poll.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define SLOTS 65536
#define LARGEST 66000
#define BATCH 64
#define SECOND 1000000000ull

struct packet {
    uint64_t due;
    size_t length;
    char *data;
};

struct way {
    int from, to;
    struct packet *ring;
    size_t head, tail;
    uint64_t free_at; /* when the last packet has left, at the link's rate */
};

static uint64_t delay;
static double bytes_per_ns;
static uint64_t queue_bytes;

static uint64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * SECOND + (uint64_t)t.tv_nsec;
}

static int open_tun(const char *netns)
{
    struct ifreq request = {.ifr_name = "far", .ifr_flags = IFF_TUN | IFF_NO_PI | IFF_VNET_HDR};
    int tun, fd = open(netns, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || setns(fd, CLONE_NEWNET) < 0) {
        perror(netns);
        exit(1);
    }
    close(fd);
    tun = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
    if (tun < 0 || ioctl(tun, TUNSETIFF, &request) < 0 ||
        ioctl(tun, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6) < 0) {
        perror("/dev/net/tun");
        exit(1);
    }
    return tun;
}

/* Returns when a packet that comes now has left, or 0 if the queue is full. */
static uint64_t leaves(struct way *way, size_t length)
{
    uint64_t t = now();
    if (bytes_per_ns <= 0)
        return t;
    if (way->free_at < t)
        way->free_at = t;
    if ((double)(way->free_at - t) * bytes_per_ns > (double)queue_bytes)
        return 0;
    way->free_at += (uint64_t)((double)length / bytes_per_ns);
    return way->free_at;
}

static void take(struct way *way)
{
    static char buffer[LARGEST];
    for (int i = 0; i < BATCH && way->head - way->tail < SLOTS; i++) {
        struct packet *packet = &way->ring[way->head % SLOTS];
        ssize_t length = read(way->from, buffer, sizeof buffer);
        uint64_t left;
        if (length <= 0)
            return;
        left = leaves(way, (size_t)length);
        if (!left)
            continue;
        packet->data = malloc((size_t)length);
        if (!packet->data)
            exit(1);
        memcpy(packet->data, buffer, (size_t)length);
        packet->length = (size_t)length;
        packet->due = left + delay;
        way->head++;
    }
}

/* Returns when the next packet is due. */
static uint64_t give(struct way *way)
{
    while (way->tail != way->head) {
        struct packet *packet = &way->ring[way->tail % SLOTS];
        if (packet->due > now())
            return packet->due;
        if (write(way->to, packet->data, packet->length) < 0 && errno != EINVAL && errno != EIO)
            perror("write"); /* EIO: its device isn't up yet */
        free(packet->data);
        way->tail++;
    }
    return now() + SECOND;
}

int main(int argc, char **argv)
{
    if (argc != 4 && argc != 6) {
        fputs("usage: delay_link NETNS NETNS MILLISECONDS [MBIT_PER_SECOND QUEUE_BYTES]\n", stderr);
        return 2;
    }
    delay = (uint64_t)(atof(argv[3]) * 1e6);
    bytes_per_ns = argc == 6 ? atof(argv[4]) / 8e3 : 0;
    queue_bytes = argc == 6 ? strtoull(argv[5], NULL, 10) : 0;
    int one = open_tun(argv[1]), other = open_tun(argv[2]);
    struct way ways[2] = {{.from = one, .to = other}, {.from = other, .to = one}};
    for (int i = 0; i < 2; i++)
        if (!(ways[i].ring = calloc(SLOTS, sizeof *ways[i].ring)))
            return 1;
    puts("ready");
    fflush(stdout);
    for (;;) {
        struct pollfd fds[2] = {{.fd = one, .events = POLLIN}, {.fd = other, .events = POLLIN}};
        uint64_t t, next = UINT64_MAX;
        struct timespec rest = {0, 0};
        for (int i = 0; i < 2; i++) {
            take(&ways[i]);
            uint64_t due = give(&ways[i]);
            next = due < next ? due : next;
        }
        t = now();
        if (next > t) {
            rest.tv_sec = (time_t)((next - t) / SECOND);
            rest.tv_nsec = (long)((next - t) % SECOND);
        }
        ppoll(fds, 2, &rest, NULL);
    }
}
