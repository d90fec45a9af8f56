#define _GNU_SOURCE
#include "datagram.h"

#include <string.h>
#include <sys/socket.h>

union control {
    struct cmsghdr align;
    char space[CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

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

ssize_t datagram_receive(int fd, void *buffer, size_t size, union address *from, struct asked *asked)
{
    struct iovec part = {.iov_base = buffer, .iov_len = size};
    union control control;
    struct msghdr message = {.msg_name = from, .msg_namelen = sizeof(*from), .msg_iov = &part, .msg_iovlen = 1,
                             .msg_control = &control, .msg_controllen = sizeof(control)};

    memset(from, 0, sizeof(*from)); /* it is compared as a whole */
    ssize_t n = recvmsg(fd, &message, 0);
    if (n >= 0)
        read_asked(&message, asked);
    return n;
}

ssize_t datagram_send(int fd, const void *data, size_t size, const union address *to, const struct asked *asked)
{
    struct iovec part = {.iov_base = (void *)(uintptr_t)data, .iov_len = size};
    union control control = {0};
    bool is_v6 = to->any.sa_family == AF_INET6;
    size_t length = is_v6 ? sizeof(struct in6_pktinfo) : sizeof(struct in_pktinfo);
    struct msghdr message = {.msg_name = (void *)(uintptr_t)to, .msg_namelen = address_size(to), .msg_iov = &part,
                             .msg_iovlen = 1, .msg_control = &control, .msg_controllen = CMSG_SPACE(length)};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);

    header->cmsg_level = is_v6 ? IPPROTO_IPV6 : IPPROTO_IP;
    header->cmsg_type = is_v6 ? IPV6_PKTINFO : IP_PKTINFO;
    header->cmsg_len = CMSG_LEN(length);
    if (is_v6) {
        struct in6_pktinfo info = {.ipi6_addr = asked->address, .ipi6_ifindex = asked->interface};
        memcpy(CMSG_DATA(header), &info, sizeof(info));
    } else {
        struct in_pktinfo info = {0};
        memcpy(&info.ipi_spec_dst, &asked->address, sizeof(info.ipi_spec_dst));
        memcpy(CMSG_DATA(header), &info, sizeof(info));
    }
    return sendmsg(fd, &message, MSG_NOSIGNAL);
}
