#define _GNU_SOURCE
#include "datagram.h"

#include <errno.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103 /* linux/udp.h; Linux 4.18 */
#endif
#define SIZE 65536        /* more than any datagram has */
#define MOST_BYTES 60000  /* sent as one packet, which the kernel cuts: a packet has less than 65,536 */

union control {
    struct cmsghdr align;
    char space[CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(uint16_t))];
};

static char *buffers;

/* Pages that no datagram ever needed take no memory. */
int batch_init(struct error *err)
{
    void *made = mmap(NULL, (size_t)SIZE * BATCH, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                      -1, 0);

    if (made == MAP_FAILED)
        return fail(err, "mmap: %m");
    buffers = made;
    return 0;
}

void batch_rest(void)
{
    madvise(buffers, (size_t)SIZE * BATCH, MADV_DONTNEED);
}

static void read_asked(struct msghdr *message, struct asked *asked)
{
    struct cmsghdr *header = CMSG_FIRSTHDR(message);

    memset(asked, 0, sizeof(*asked));
    if (header == NULL)
        return;
    if (header->cmsg_level == IPPROTO_IP && header->cmsg_type == IP_PKTINFO) {
        struct in_pktinfo info;
        memcpy(&info, CMSG_DATA(header), sizeof(info));
        memcpy(&asked->address, &info.ipi_spec_dst, sizeof(info.ipi_spec_dst));
    } else if (header->cmsg_level == IPPROTO_IPV6 && header->cmsg_type == IPV6_PKTINFO) {
        struct in6_pktinfo info;
        memcpy(&info, CMSG_DATA(header), sizeof(info));
        /* A multicast address can't be one to answer from: the kernel chooses then. */
        if (!IN6_IS_ADDR_MULTICAST(&info.ipi6_addr))
            asked->address = info.ipi6_addr;
        if (IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr) || IN6_IS_ADDR_MULTICAST(&info.ipi6_addr))
            asked->interface = info.ipi6_ifindex;
    }
}

const struct batch *batch_receive(int fd, bool connected)
{
    static struct batch batch;
    static struct mmsghdr messages[BATCH];
    static struct iovec parts[BATCH];
    static union control controls[BATCH];

    for (unsigned i = 0; i < BATCH; i++) {
        struct datagram *datagram = &batch.datagrams[i];
        parts[i] = (struct iovec){.iov_base = buffers + (size_t)SIZE * i, .iov_len = SIZE};
        messages[i].msg_hdr = (struct msghdr){.msg_iov = &parts[i], .msg_iovlen = 1};
        if (connected)
            continue;
        memset(&datagram->from, 0, sizeof(datagram->from)); /* it is compared as a whole */
        messages[i].msg_hdr.msg_name = &datagram->from;
        messages[i].msg_hdr.msg_namelen = sizeof(datagram->from);
        messages[i].msg_hdr.msg_control = &controls[i];
        messages[i].msg_hdr.msg_controllen = sizeof(controls[i]);
    }
    int count = recvmmsg(fd, messages, BATCH, MSG_DONTWAIT, NULL);
    if (count < 0)
        return NULL;
    batch.count = (unsigned)count;
    for (unsigned i = 0; i < batch.count; i++) {
        batch.datagrams[i].data = parts[i].iov_base;
        batch.datagrams[i].size = messages[i].msg_len;
        if (!connected)
            read_asked(&messages[i].msg_hdr, &batch.datagrams[i].asked);
    }
    return &batch;
}

static void add_control(struct msghdr *message, int level, int type, const void *data, size_t size)
{
    struct cmsghdr *header = (struct cmsghdr *)(void *)((char *)message->msg_control + message->msg_controllen);

    header->cmsg_level = level;
    header->cmsg_type = type;
    header->cmsg_len = CMSG_LEN(size);
    memcpy(CMSG_DATA(header), data, size);
    message->msg_controllen += CMSG_SPACE(size);
}

static void add_source(struct msghdr *message, bool is_v6, const struct asked *asked)
{
    if (is_v6) {
        struct in6_pktinfo info = {.ipi6_addr = asked->address, .ipi6_ifindex = asked->interface};
        add_control(message, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof(info));
    } else {
        struct in_pktinfo info = {0};
        memcpy(&info.ipi_spec_dst, &asked->address, sizeof(info.ipi_spec_dst));
        add_control(message, IPPROTO_IP, IP_PKTINFO, &info, sizeof(info));
    }
}

/* Sends datagrams of one size, of which the last may be smaller, as one packet (udp(7): UDP_SEGMENT). */
static bool send_run(int fd, const struct datagram *first, unsigned count, const union address *to,
                     const struct asked *asked)
{
    struct iovec parts[BATCH];
    union control control = {0};
    struct msghdr message = {.msg_name = (void *)(uintptr_t)to, .msg_namelen = to != NULL ? address_size(to) : 0,
                             .msg_iov = parts, .msg_iovlen = count, .msg_control = &control};
    uint16_t size = (uint16_t)first->size;

    for (unsigned i = 0; i < count; i++)
        parts[i] = (struct iovec){.iov_base = (void *)(uintptr_t)first[i].data, .iov_len = first[i].size};
    if (to != NULL)
        add_source(&message, to->any.sa_family == AF_INET6, asked);
    if (count > 1)
        add_control(&message, IPPROTO_UDP, UDP_SEGMENT, &size, sizeof(size));
    return sendmsg(fd, &message, MSG_NOSIGNAL) >= 0;
}

/* Returns how many from the first on can be one packet. */
static unsigned run_length(const struct datagram *first, unsigned count)
{
    size_t size = first->size;
    unsigned length = 1;

    while (length < count && first[length - 1].size == size && first[length].size > 0 && first[length].size <= size &&
           size * (length + 1) <= MOST_BYTES)
        length++;
    return length;
}

void batch_send(int fd, const struct datagram *first, unsigned count, const union address *to,
                const struct asked *asked)
{
    while (count > 0) {
        unsigned length = run_length(first, count);
        bool is_sent = send_run(fd, first, length, to, asked);
        /* Larger than the way's MTU, or a device without checksums: each by itself. The first send after an ICMP
           message tells of that only, and sends nothing. */
        for (unsigned i = 0; !is_sent && i < length; i++)
            if (!send_run(fd, &first[i], 1, to, asked) && errno != EAGAIN && errno != EMSGSIZE)
                send_run(fd, &first[i], 1, to, asked);
        first += length;
        count -= length;
    }
}
