#define _GNU_SOURCE
#include "options.h"

#include <limits.h>
#include <string.h>

static int take(struct options *options, const char *name, char *value, struct error *err)
{
    int *number = NULL;

    if (strcmp(name, "--netns") == 0)
        options->netns = value;
    else if (strcmp(name, "--target") == 0)
        options->target = value;
    else if (strcmp(name, "--enter") == 0)
        number = &options->enter_fd;
    else if (strcmp(name, "--ready") == 0)
        number = &options->ready_fd;
    else if (strcmp(name, "--control") == 0)
        number = &options->control_fd;
    else
        return fail(err, "%s: no such option", name);
    if (number != NULL && !parse_number(value, INT_MAX, number))
        return fail(err, "%s %s: that is no descriptor", name, value);
    return 0;
}

int options_parse(struct options *options, int argc, char **argv, struct error *err)
{
    int at = 1;

    *options = (struct options){.enter_fd = -1, .ready_fd = -1, .control_fd = -1};
    for (; at < argc && argv[at][0] == '-'; at += 2) {
        if (at + 1 == argc)
            return fail(err, "%s needs a value", argv[at]);
        if (take(options, argv[at], argv[at + 1], err) < 0)
            return -1;
    }
    options->listen = argv + at;
    options->listen_count = argc - at;
    if (options->netns == NULL || options->target == NULL)
        return fail(err, "--netns and --target are needed");
    return 0;
}
