/* Opens a socket of each family (FAMILY or FAMILY:PROTOCOL) that is named, closes it, and prints what came of it:
   "FAMILY[:PROTOCOL] ERRNO", 0 for none. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int count, char **words)
{
    for (int i = 1; i < count; i++) {
        char *rest = NULL;
        int family = (int)strtol(words[i], &rest, 10);
        int protocol = *rest == ':' ? (int)strtol(rest + 1, NULL, 10) : 0;
        int type = family == AF_NETLINK || family == AF_PACKET ? SOCK_RAW : SOCK_DGRAM;
        int fd = socket(family, type, protocol);
        printf("%s %d\n", words[i], fd < 0 ? errno : 0);
        if (fd >= 0)
            close(fd);
    }
    return 0;
}
