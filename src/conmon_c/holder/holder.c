/* The pause process (holder): keeps a user's namespaces alive between podpy's calls.
 *
 *     podpy-holder RUNROOT WHAT REPORT GO
 *
 * WHAT     `new`: make a user and a mount namespace; a number: a pidfd, whose user namespace is joined (its former
 *          holder has died, but a container runs there), with a new mount namespace
 * REPORT   number of a descriptor: one line, `PID\n` once the namespaces are there, or `error STEP ERRNO\n`
 * GO       number of a descriptor: one byte means that id maps and record are written; end of file before it means
 *          that the caller died, and ends the holder
 *
 * The caller writes the id maps from outside, where newuidmap has its privilege. So the first call of a boot has two
 * steps: it starts a holder, and then joins the namespaces like every later call. The caller is never in a namespace
 * without a map. (Unsharing in the caller would need a third process that stays outside to run newuidmap.)
 *
 * It ends when the record runroot/holder or the run directory is removed (a logout removes /run/user/UID): nothing
 * could find it any more. `podpy system migrate` ends it, too.
 *
 * systemd-tmpfiles would remove old files of a run directory in /tmp after some days; a shared flock(2) tells it that
 * the directory is in use (tmpfiles.d(5), "Age").
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define RECORD "holder"
#define LINE_SIZE 64

struct line {
    char text[LINE_SIZE];
    size_t length;
};

static void add_text(struct line *line, const char *text)
{
    while (*text && line->length < LINE_SIZE)
        line->text[line->length++] = *text++;
}

static void add_number(struct line *line, long number)
{
    char digits[24];
    size_t at = sizeof digits;
    digits[--at] = '\0';
    do
        digits[--at] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    add_text(line, digits + at);
}

static void send_line(int fd, const struct line *line)
{
    ssize_t written;
    do
        written = write(fd, line->text, line->length);
    while (written < 0 && errno == EINTR);
}

static _Noreturn void fail(int report, const char *step)
{
    struct line line = {.length = 0};
    int error = errno;
    add_text(&line, "error ");
    add_text(&line, step);
    add_text(&line, " ");
    add_number(&line, error);
    add_text(&line, "\n");
    send_line(report, &line);
    _exit(1);
}

static void say_ready(int report)
{
    struct line line = {.length = 0};
    add_number(&line, (long)getpid());
    add_text(&line, "\n");
    send_line(report, &line);
}

/* Returns true if the caller reports that everything is done; false if it ended before. */
static int may_stay(int go)
{
    char byte;
    ssize_t got;
    do
        got = read(go, &byte, 1);
    while (got < 0 && errno == EINTR);
    return got == 1;
}

/* Returns true if an event in the buffer shows that the record or the run directory is gone. */
static int is_over(const char *buffer, ssize_t length)
{
    ssize_t at = 0;
    while (at < length) {
        const struct inotify_event *event = (const struct inotify_event *)(buffer + at);
        if (event->mask & (IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT | IN_IGNORED))
            return 1;
        if (event->len && strcmp(event->name, RECORD) == 0)
            return 1;
        at += (ssize_t)(sizeof *event + event->len);
    }
    return 0;
}

static _Noreturn void watch(int fd)
{
    char buffer[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
    for (;;) {
        ssize_t length = read(fd, buffer, sizeof buffer);
        if (length > 0 && is_over(buffer, length))
            _exit(0);
        if (length < 0 && errno != EINTR)
            for (;;)
                pause();
    }
}

/* Moves a descriptor above 2: the caller may have closed 0, 1 and 2. */
static int lift(int fd)
{
    return fd < 0 ? fd : fcntl(fd, F_DUPFD, 100);
}

static int is_aged(const char *path)
{
    return strncmp(path, "/tmp/", 5) == 0 || strncmp(path, "/var/tmp/", 9) == 0;
}

static _Noreturn void hold(const char *runroot, int report, int go)
{
    /* The watch is set before the report: the record is written after it, so its removal can't be missed. Without a
     * watch (fs.inotify.max_user_instances) the holder stays until `system migrate`. */
    int kept = 0;
    int directory = is_aged(runroot) ? lift(open(runroot, O_RDONLY | O_DIRECTORY)) : -1;
    int events = lift(inotify_init());
    if (events >= 0)
        inotify_add_watch(events, runroot, IN_DELETE | IN_MOVED_FROM | IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR);
    say_ready(report);
    if (!may_stay(go))
        _exit(1);
    /* Close everything of the caller: a reader of its output through a pipe must see the end. */
    if (directory >= 0) {
        flock(directory, LOCK_SH | LOCK_NB);
        dup2(directory, kept++);
    }
    if (events >= 0)
        dup2(events, kept++);
    syscall(SYS_close_range, (unsigned)kept, ~0U, 0U);
    if (events >= 0)
        watch(kept - 1);
    for (;;)
        pause();
}

static void reset_signals(void)
{
    sigset_t none;
    for (int number = 1; number < NSIG; number++)
        signal(number, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

int main(int argc, char **argv)
{
    if (argc != 5)
        return 2;
    int report = atoi(argv[3]);
    int go = atoi(argv[4]);
    int is_new = strcmp(argv[2], "new") == 0;

    /* A grandchild of the caller: a library caller's wait for any child never finds it. */
    pid_t child = fork();
    if (child < 0)
        fail(report, "fork");
    if (child > 0)
        return 0;
    reset_signals();
    setsid();
    prctl(PR_SET_NAME, "podpy-holder");
    if (!is_new && setns(atoi(argv[2]), CLONE_NEWUSER) < 0)
        fail(report, "setns");
    if (unshare(is_new ? CLONE_NEWUSER | CLONE_NEWNS : CLONE_NEWNS) < 0)
        fail(report, "unshare");
    if (chdir("/") < 0)
        fail(report, "chdir");
    hold(argv[1], report, go);
}
