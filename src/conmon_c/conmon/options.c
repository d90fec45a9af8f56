#define _GNU_SOURCE
#include "options.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "restart.h"
#include "terminal.h"

#define VERSION_2_1 "2.1.13" /* the conmon version whose command line and protocols are implemented */
#define PODPY_VERSION "0.1.0"

#define LOG_FILES_MAX 10000   /* a rotation renames all of them */

enum kind { FLAG, TEXT, NUMBER, LIST };

struct option {
    const char *name;
    char letter;
    enum kind kind;
    size_t offset;
    const char *help; /* NULL: accepted, not shown */
};

#define AT(field) offsetof(struct options, field)

static const struct option table[] = {
    {"api-version", 0, FLAG, AT(api_version), "Speak conmon API version 1 on the sync pipe"},
    {"bundle", 'b', TEXT, AT(bundle), "Directory of the OCI bundle"},
    {"cid", 'c', TEXT, AT(cid), "Container ID"},
    {"conmon-pidfile", 'P', TEXT, AT(conmon_pidfile), "Where the monitor's own pid is written"},
    {"container-pidfile", 'p', TEXT, AT(container_pidfile), "Where the runtime writes the container's pid"},
    {"cuuid", 'u', TEXT, AT(cuuid), "Container UUID (names the attach socket's directory)"},
    {"exec", 'e', FLAG, AT(exec), "Run a command in a running container"},
    {"exec-attach", 0, FLAG, AT(exec_attach), "Wait for an attach client before the command starts"},
    {"exec-process-spec", 0, TEXT, AT(exec_process_spec), "File with the process of --exec"},
    {"exit-command", 0, TEXT, AT(exit_command), "Program to run when the container has ended"},
    {"exit-command-arg", 0, LIST, AT(exit_args), "Argument of the exit command; repeatable"},
    {"exit-delay", 0, NUMBER, AT(exit_delay), "Seconds to wait before the exit command"},
    {"exit-dir", 0, TEXT, AT(exit_dir), "Directory for the exit file, named like the container"},
    {"full-attach", 0, FLAG, AT(full_attach), "Attach socket in the bundle; no link in --socket-dir-path"},
    {"help", 'h', FLAG, AT(help), "Show this help"},
    {"leave-stdin-open", 0, FLAG, AT(leave_stdin_open), "Keep the container's stdin when the client has gone"},
    {"log-allowlist-dir", 0, LIST, AT(log_allow_dirs), "Log files may only be made below this; repeatable"},
    {"log-global-size-max", 0, NUMBER, AT(log_global_size_max), "Bytes after which nothing more is logged"},
    {"log-label", 0, LIST, AT(log_labels), "LABEL=VALUE for journald and json-file; repeatable"},
    {"log-level", 0, TEXT, AT(log_level), "Of the monitor's own messages: error, warn, info, debug, trace"},
    {"log-max-files", 0, NUMBER, AT(log_max_files), "Rotated log files to keep (default 1)"},
    {"log-path", 'l', LIST, AT(log_paths), "[DRIVER:]PATH; drivers k8s-file, json-file, journald, passthrough, none"},
    {"log-rotate", 0, FLAG, AT(log_rotate), "Accepted; rotation always renames here"},
    {"log-size-max", 0, NUMBER, AT(log_size_max), "Bytes after which a log file is rotated"},
    {"log-tag", 0, TEXT, AT(log_tag), "Tag for journald and json-file"},
    {"name", 'n', TEXT, AT(name), "Container name"},
    {"no-container-partial-message", 0, FLAG, AT(no_partial_message), "journald: don't mark pieces of long lines"},
    {"no-new-keyring", 0, FLAG, AT(no_new_keyring), "Passed to the runtime"},
    {"no-pivot", 0, FLAG, AT(no_pivot), "Passed to the runtime"},
    {"no-sync-log", 0, FLAG, AT(no_sync_log), "Don't fsync the log when the container has ended"},
    {"persist-dir", '0', TEXT, AT(persist_dir), "Directory for the files `exit` and `oom`"},
    {"pidfile", 0, TEXT, AT(container_pidfile), NULL},
    {"replace-listen-pid", 0, FLAG, AT(replace_listen_pid), "Set LISTEN_PID to the runtime's pid"},
    {"restore", 0, TEXT, AT(restore), "Restore from this checkpoint"},
    {"restore-arg", 0, LIST, AT(runtime_opts), NULL},
    {"runtime", 'r', TEXT, AT(runtime), "Path of the OCI runtime"},
    {"runtime-arg", 0, LIST, AT(runtime_args), "Runtime argument before its command; repeatable"},
    {"runtime-opt", 0, LIST, AT(runtime_opts), "Runtime argument after its command; repeatable"},
    {"sdnotify-socket", 0, TEXT, AT(sdnotify_socket), "The host's notify socket, to relay to"},
    {"seccomp-notify-plugins", 0, TEXT, AT(seccomp_plugins), NULL},
    {"seccomp-notify-socket", 0, TEXT, AT(seccomp_socket), NULL},
    {"socket-dir-path", 0, TEXT, AT(socket_dir), "Directory of the links to attach sockets"},
    {"stdin", 'i', FLAG, AT(stdin_open), "Give the container a stdin pipe"},
    {"sync", 0, FLAG, AT(sync), "Stay in the foreground"},
    {"syslog", 0, FLAG, AT(syslog), "Send the monitor's own messages to syslog too"},
    {"systemd-cgroup", 's', FLAG, AT(systemd_cgroup), "Passed to the runtime"},
    {"terminal", 't', FLAG, AT(terminal), "The container has a terminal"},
    {"timeout", 'T', NUMBER, AT(timeout), "Kill the container after this many seconds"},
    {"version", 0, FLAG, AT(version), "Show the version"},
    {"attach-fd", 0, NUMBER, AT(attach_fd), "podpy: inherited SOCK_SEQPACKET, attached before the start"},
    {"attach-stall-limit", 0, NUMBER, AT(stall_limit), "podpy: seconds a client may take nothing (default 10)"},
    {"close-fds", 0, FLAG, AT(close_fds), "podpy: close inherited descriptors that aren't named"},
    {"console-size", 0, TEXT, AT(console_size), "podpy: ROWSxCOLUMNS that the terminal has from its beginning"},
    {"health-dir", 0, TEXT, AT(health_dir), "podpy: directory of the health check's configuration, which may come later"},
    {"hold-fd", 0, NUMBER, AT(hold_fd), "podpy: inherited descriptor, kept open as long as the monitor lives"},
    {"restart", 0, TEXT, AT(restart), "podpy: always, on-failure or no: wait before the exit command, which restarts"},
    {"restart-backoff", 0, TEXT, AT(restart_backoff), "podpy: kubernetes: waits of 10 s to 5 min, and not Docker's"},
    {"restart-delay", 0, NUMBER, AT(restart_delay), "podpy: milliseconds of that wait (default 100)"},
    {"runtime-run", 0, FLAG, AT(runtime_run), "podpy: one `RUNTIME run --detach` instead of create"},
    {"stop-timeout", 0, NUMBER, AT(stop_timeout), "podpy: seconds from SIGTERM to the monitor to SIGKILL to the container"},
    {"unlink-on-exit", 0, LIST, AT(unlink_paths), "podpy: unlink this file at the container's end; repeatable"},
    {"waiter-fd", 0, NUMBER, AT(waiter_fd), "podpy: inherited stream socket of the caller that waits"},
    {"waiters", 0, FLAG, AT(waiters), "podpy: BUNDLE/waiters is a socket; who connects waits like that caller"},
};

static const struct option *find_long(const char *name, size_t length)
{
    for (size_t i = 0; i < COUNT(table); i++)
        if (strlen(table[i].name) == length && strncmp(table[i].name, name, length) == 0)
            return &table[i];
    return NULL;
}

static const struct option *find_letter(char letter)
{
    for (size_t i = 0; i < COUNT(table); i++)
        if (table[i].letter == letter)
            return &table[i];
    return NULL;
}

static int list_add(struct list *list, char *item, int argc, struct error *err)
{
    /* No list can be longer than argv. */
    if (list->items == NULL)
        list->items = calloc((size_t)argc + 1, sizeof(char *));
    if (list->items == NULL)
        return fail(err, "out of memory");
    list->items[list->count++] = item;
    return 0;
}

static int store(struct options *options, const struct option *option, char *value, int argc, struct error *err)
{
    char *field = (char *)options + option->offset;

    switch (option->kind) {
    case FLAG:
        *(bool *)field = true;
        return 0;
    case TEXT:
        *(char **)field = value;
        return 0;
    case NUMBER:
        if (!parse_number(value, (int64_t *)field))
            return fail(err, "option parsing failed: Cannot parse integer value '%s' for --%s", value, option->name);
        return 0;
    case LIST:
        return list_add((struct list *)field, value, argc, err);
    }
    return 0;
}

static int parse_long(struct options *options, int argc, char **argv, int *i, struct error *err)
{
    char *word = argv[*i] + 2;
    char *equals = strchr(word, '=');
    size_t length = equals ? (size_t)(equals - word) : strlen(word);
    const struct option *option = find_long(word, length);
    char *value = equals ? equals + 1 : NULL;

    if (option == NULL)
        return fail(err, "option parsing failed: Unknown option --%.*s", (int)length, word);
    if (option->kind != FLAG && value == NULL) {
        if (*i + 1 >= argc)
            return fail(err, "option parsing failed: Missing argument for --%s", option->name);
        value = argv[++*i];
    }
    return store(options, option, value, argc, err);
}

static int parse_letters(struct options *options, int argc, char **argv, int *i, struct error *err)
{
    for (char *at = argv[*i] + 1; *at != '\0'; at++) {
        const struct option *option = find_letter(*at);
        char *value = at + 1;

        if (option == NULL)
            return fail(err, "option parsing failed: Unknown option -%c", *at);
        if (option->kind == FLAG) {
            if (store(options, option, NULL, argc, err) < 0)
                return -1;
            continue;
        }
        if (*value == '\0') {
            if (*i + 1 >= argc)
                return fail(err, "option parsing failed: Missing argument for -%c", *at);
            value = argv[++*i];
        }
        return store(options, option, value, argc, err);
    }
    return 0;
}

int options_parse(struct options *options, int argc, char **argv, struct error *err)
{
    options->log_size_max = -1;
    options->log_global_size_max = -1;
    options->log_max_files = 1;
    options->attach_fd = -1;
    options->waiter_fd = -1;
    options->hold_fd = -1;
    options->stop_timeout = -1;
    options->stall_limit = 10;
    options->restart_delay = RESTART_DELAY_MS;
    options->socket_dir = "/var/run/crio"; /* conmon 2.1's default */
    for (int i = 1; i < argc; i++) {
        int r = 0;

        if (strcmp(argv[i], "--") == 0)
            break;
        if (strncmp(argv[i], "--", 2) == 0)
            r = parse_long(options, argc, argv, &i, err);
        else if (argv[i][0] == '-' && argv[i][1] != '\0')
            r = parse_letters(options, argc, argv, &i, err);
        /* Other words are ignored, as in conmon 2.1: Podman writes `--api-version 1`, but the option has no value. */
        if (r < 0)
            return -1;
    }
    return 0;
}

static int check_required(struct options *options, struct error *err)
{
    if (options->cid == NULL)
        return fail(err, "Container ID not provided. Use --cid");
    if (options->cuuid == NULL && (!options->exec || options->api_version))
        return fail(err, "Container UUID not provided. Use --cuuid");
    if (options->runtime == NULL)
        return fail(err, "Runtime path not provided. Use --runtime");
    if (access(options->runtime, X_OK) < 0)
        return fail(err, "Runtime path %s is not valid: %m", options->runtime);
    if (options->exec && options->exec_process_spec == NULL)
        return fail(err, "Exec process spec path not provided. Use --exec-process-spec");
    if (options->log_paths.count == 0)
        return fail(err, "Log driver not provided. Use --log-path");
    return 0;
}

static int check_log_files(const struct options *options, struct error *err)
{
    long long number = options->log_max_files;

    if (number < 0)
        return fail(err, "log-max-files must be non-negative, got %lld", number);
    if (number > LOG_FILES_MAX)
        return fail(err, "log-max-files %lld is out of range: at most %d", number, LOG_FILES_MAX);
    if (options->log_rotate && number == 0)
        return fail(err, "log-max-files must be at least 1 when log-rotate is enabled, got 0");
    return 0;
}

static int check_combinations(struct options *options, struct error *err)
{
    if (options->seccomp_socket != NULL || options->seccomp_plugins != NULL)
        return fail(err, "--seccomp-notify-socket and --seccomp-notify-plugins are not supported by podpy's conmon. "
                         "Leave them out, or use another conmon");
    if (options->restore != NULL && options->exec)
        return fail(err, "Cannot use 'exec' and 'restore' at the same time");
    if (!options->exec && options->exec_attach)
        return fail(err, "Attach can only be specified with exec");
    if (!options->api_version && options->exec_attach)
        return fail(err, "Attach can only be specified for a non-legacy exec session");
    if (options->console_size != NULL && !terminal_parse_size(options->console_size, NULL, NULL))
        return fail(err, "--console-size must be ROWSxCOLUMNS, got '%s'", options->console_size);
    if (options->runtime_run && (options->exec || options->restore != NULL))
        return fail(err, "--runtime-run can't be used with --exec or --restore");
    if (options->exit_delay < 0 || options->exit_delay > INT_MAX / 1000)
        return fail(err, "Delay before invoking exit command must be greater than or equal to 0");
    if (options->stop_timeout < -1 || options->stop_timeout > INT64_MAX / 2000)
        return fail(err, "--stop-timeout must be greater than or equal to -1");
    if (options->timeout < 0 || options->timeout > INT64_MAX / 2000)
        return fail(err, "--timeout must be greater than or equal to 0");
    if (check_log_files(options, err) < 0)
        return -1;
    if (options->stall_limit < 0 || options->stall_limit > INT_MAX / 1000)
        return fail(err, "--attach-stall-limit must be a number of seconds, at least 0");
    if (options->restart_backoff != NULL && strcmp(options->restart_backoff, "kubernetes") != 0)
        return fail(err, "--restart-backoff must be kubernetes, or left out");
    if (options->restart_delay < 0 || options->restart_delay > INT_MAX)
        return fail(err, "--restart-delay must be a number of milliseconds, at least 0");
    if (options->attach_fd > INT_MAX || options->waiter_fd > INT_MAX || options->hold_fd > INT_MAX)
        return fail(err, "--attach-fd, --waiter-fd and --hold-fd must be descriptors");
    return 0;
}

int options_check(struct options *options, struct error *err)
{
    char cwd[PATH_MAX];

    if (check_required(options, err) < 0 || check_combinations(options, err) < 0)
        return -1;
    if (getcwd(cwd, sizeof(cwd)) == NULL)
        return fail(err, "Failed to get working directory: %m");
    if (options->bundle == NULL && !options->exec && (options->bundle = strdup(cwd)) == NULL)
        return fail(err, "out of memory");
    if (options->container_pidfile == NULL &&
        asprintf(&options->container_pidfile, "%s/pidfile-%s", cwd, options->cid) < 0)
        return fail(err, "out of memory");
    return 0;
}

void options_print_help(void)
{
    char line[256];

    dprintf(STDOUT_FILENO, "Usage:\n  conmon [OPTION…]\n\nWatches one container, or one exec session in it.\n\n");
    for (size_t i = 0; i < COUNT(table); i++) {
        const struct option *option = &table[i];
        char letter[8] = "    ";

        if (option->help == NULL)
            continue;
        if (option->letter != 0)
            snprintf(letter, sizeof(letter), "-%c, ", option->letter);
        snprintf(line, sizeof(line), "  %s--%-30s%s\n", letter, option->name, option->help);
        dprintf(STDOUT_FILENO, "%s", line);
    }
}

void options_print_version(void)
{
    /* `podman info` prints both lines; the second one shows that this is podpy's conmon. */
    dprintf(STDOUT_FILENO, "conmon version " VERSION_2_1 "\ncommit: podpy " PODPY_VERSION "\n");
}
