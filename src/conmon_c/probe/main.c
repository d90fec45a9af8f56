/* probe TCP HOST:PORT | HTTP URL [HEADER…] | GRPC HOST:PORT [SERVICE] | SLEEP SECONDS | EXEC PROGRAM [ARGUMENT…]

   EXEC runs the program that speaks TLS, without rights. See probe.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../common/confine.h"
#include "probe.h"

static int usage(void)
{
    fputs("usage: probe TCP HOST:PORT | HTTP URL [HEADER...] | GRPC HOST:PORT [SERVICE] | SLEEP SECONDS |\n"
          "             EXEC PROGRAM [ARGUMENT...]\n", stderr);
    return WRONG;
}

static int probe_tcp(const struct addresses *addresses, const struct place *place)
{
    char why[256];
    int fd = dial(addresses, place->port, why, sizeof(why));

    if (fd < 0)
        puts(why);
    return fd < 0 ? ILL : WELL;
}

static int wait_for(const char *seconds)
{
    struct timespec left = {.tv_sec = atoi(seconds)};

    while (nanosleep(&left, &left) < 0 && errno == EINTR)
        ;
    return WELL;
}

static int run_without_rights(char **argv)
{
    confine_rights(0);
    execv(argv[0], argv);
    perror(argv[0]);
    return ILL;
}

static int ask(int argc, char **argv)
{
    static const char http[] = "http://";
    bool is_http = strcmp(argv[1], "HTTP") == 0;
    const char *at = argv[2];
    struct addresses addresses;
    struct place place;

    if (is_http) {
        if (strncmp(at, http, sizeof(http) - 1) != 0)
            return usage();
        at += sizeof(http) - 1;
    }
    if (!place_read(&place, at, at + strcspn(at, "/")) || !addresses_find(&addresses, place.host))
        return usage();
    confine();
    if (is_http)
        return probe_http(&addresses, argv + 2);
    if (strcmp(argv[1], "TCP") == 0)
        return probe_tcp(&addresses, &place);
    if (strcmp(argv[1], "GRPC") == 0)
        return probe_grpc(&addresses, &place, argc > 3 ? argv[3] : "");
    return usage();
}

int main(int argc, char **argv)
{
    if (argc < 3)
        return usage();
    setvbuf(stdout, NULL, _IONBF, 0);
    if (strcmp(argv[1], "SLEEP") == 0)
        return wait_for(argv[2]);
    return strcmp(argv[1], "EXEC") == 0 ? run_without_rights(argv + 2) : ask(argc, argv);
}
