/* conmon 2.1's command line, and podpy's additions to it. */
#ifndef PODPY_CONMON_OPTIONS_H
#define PODPY_CONMON_OPTIONS_H

#include "util.h"

struct list {
    char **items;
    int count;
};

struct options {
    /* conmon 2.1 */
    bool api_version, exec, exec_attach, full_attach, leave_stdin_open, no_new_keyring, no_pivot, no_sync_log;
    bool no_partial_message, log_rotate, replace_listen_pid, stdin_open, sync, syslog, systemd_cgroup, terminal;
    char *bundle, *cid, *conmon_pidfile, *container_pidfile, *cuuid, *exec_process_spec, *exit_command, *exit_dir;
    char *log_level, *log_tag, *name, *persist_dir, *restore, *runtime, *sdnotify_socket, *socket_dir;
    char *seccomp_socket, *seccomp_plugins;
    int64_t exit_delay, timeout, log_size_max, log_global_size_max, log_max_files;
    struct list exit_args, log_paths, log_labels, log_allow_dirs, runtime_args, runtime_opts;
    /* podpy's own */
    bool runtime_run, close_fds, waiters;
    char *console_size, *health_dir, *restart, *restart_backoff;
    int64_t attach_fd, waiter_fd, hold_fd, stall_limit, restart_delay, stop_timeout;
    struct list unlink_paths;
    /* print and exit */
    bool help, version;
};

/* Parses argv into `options` (which must be zero) and sets defaults. Doesn't check combinations. */
int options_parse(struct options *options, int argc, char **argv, struct error *err);

/* Refuses wrong combinations and missing options; fills in what depends on the working directory. */
int options_check(struct options *options, struct error *err);

/* Prints the help or the version on stdout. */
void options_print_help(void);
void options_print_version(void);

#endif
