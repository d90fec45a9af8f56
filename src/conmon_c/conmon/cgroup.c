#define _GNU_SOURCE
#include "cgroup.h"

#include <stdio.h>
#include <string.h>

bool cgroup_find(pid_t pid, const char *controller, char *result, size_t size)
{
    char path[64];
    char text[8192];

    snprintf(path, sizeof(path), "/proc/%d/cgroup", (int)pid);
    if (read_file(path, text, sizeof(text)) <= 0)
        return false;
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        char *names = strchr(line, ':');
        char *where = names ? strchr(names + 1, ':') : NULL;
        if (where == NULL)
            continue;
        *where++ = '\0';
        names++;
        char *found = *controller ? strstr(names, controller) : NULL;
        bool match = found ? (found == names || found[-1] == ',') &&
                                 (found[strlen(controller)] == '\0' || found[strlen(controller)] == ',')
                           : *controller == '\0' && strncmp(line, "0:", 2) == 0;
        if (match)
            return snprintf(result, size, CGROUP_ROOT "%s%s%s", *controller ? "/" : "", *controller ? names : "",
                            where) < (int)size;
    }
    return false;
}
