/* The layer unpacker's interface for Python: feed bytes, finish, read the result.
 *
 * A forked child in a jail (unpack_jail.c) unpacks. The bytes go through a ring in shared memory: one memcpy, instead of a
 * pipe's two copies and a system call for every 64 kB; the child writes file contents directly from the ring. So the
 * caller's thread only copies, while the child creates files on another core.
 * Fork is safe here although Python has threads: the child runs no Python code, and glibc keeps malloc usable after fork.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unpack_internal.h"

#define RING_SIZE (2u << 20)
#define WAKE_AT (RING_SIZE / 4) /* don't wake the other side for less */
#define READ_AT_ONCE (64 << 10) /* of a file: headers and small contents */
#define SENT_AT_ONCE (8 << 20) /* before another look at the caller */
#define MEMORY_ROOM (256L << 20) /* mostly for the paths of a layer's directories: enough for millions */
#define LOOK_AROUND_MS 100 /* how often a sleeper checks whether the other side is alive */

struct bell {
    _Atomic uint32_t rung;
    _Atomic uint32_t awaited; /* the other side sleeps, or is about to: only then is a system call to wake it needed */
};

struct ring {
    _Atomic uint64_t written;
    _Atomic uint64_t read;
    struct bell data;
    struct bell room;
    _Atomic uint32_t ended; /* the archive is complete */
    _Atomic uint32_t complete; /* the child has read the end of the archive: what follows is ignored */
    _Atomic uint32_t failed; /* the child has stopped reading */
    _Atomic uint32_t given_up; /* the caller has given up */
    struct podpy_unpack_result result;
    uint8_t bytes[RING_SIZE] __attribute__((aligned(4096)));
};

struct podpy_unpack {
    struct ring *ring;
    pid_t child; /* 0: it has been waited for */
    bool plain;
    int status;
    int watched; /* in another child, which feeds: a pidfd of this one; else -1 */
};

/* Sleeps until the bell rings, unless it has rung since `seen` was read. A ringer sees `awaited` if it rings after that is
 * set. If it rings before, `rung` differs from `seen`: the kernel compares both, and this side doesn't sleep. */
static void bell_wait(struct bell *bell, uint32_t seen)
{
    struct timespec timeout = { .tv_nsec = LOOK_AROUND_MS * 1000000L };
    atomic_store(&bell->awaited, 1);
    syscall(SYS_futex, &bell->rung, FUTEX_WAIT, seen, &timeout, NULL, 0);
    atomic_store(&bell->awaited, 0);
}

static void bell_ring(struct bell *bell)
{
    atomic_fetch_add(&bell->rung, 1);
    if (atomic_load(&bell->awaited))
        syscall(SYS_futex, &bell->rung, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

static void report(struct podpy_unpack_result *result, const struct unpack_error *error)
{
    result->failed = 1;
    result->code = error->code;
    memcpy(result->text, error->text, sizeof error->text);
}

/* In the child: reads the ring until the archive ends. Returns 0 or -1. */
static int consume(struct ring *ring, pid_t parent, struct tar_reader *reader, struct unpack_error *error)
{
    uint64_t position = 0, announced = 0;
    for (;;) {
        uint32_t rung = atomic_load(&ring->data.rung);
        bool ended = atomic_load(&ring->ended);
        uint64_t available = atomic_load(&ring->written) - position;
        if (available == 0) {
            if (ended)
                return tar_reader_end(reader, error);
            if (position != announced) {
                announced = position;
                bell_ring(&ring->room);
            }
            bell_wait(&ring->data, rung);
            if (getppid() != parent || atomic_load(&ring->given_up)) /* the caller is gone, or has given up */
                return unpack_fail(error, ECANCELED, "given up");
            continue;
        }
        size_t offset = position % RING_SIZE;
        size_t part = available < RING_SIZE - offset ? (size_t)available : RING_SIZE - offset;
        if (part > WAKE_AT)
            part = WAKE_AT;
        if (tar_reader_feed(reader, ring->bytes + offset, part, error) < 0)
            return -1;
        position += part;
        if (tar_reader_complete(reader))
            atomic_store(&ring->complete, 1);
        atomic_store(&ring->read, position);
        if (position - announced >= WAKE_AT) {
            announced = position;
            bell_ring(&ring->room);
        }
    }
}

/* In the child: reads a file until the archive in it ends; large contents go from file to file within the kernel, which is one
 * copy in place of three. Returns 0 or -1. */
static int consume_file(struct ring *ring, pid_t parent, int source, struct tar_reader *reader, struct unpack_error *error)
{
    bool can_send = true;
    while (!tar_reader_complete(reader)) {
        if (getppid() != parent || atomic_load(&ring->given_up))
            return unpack_fail(error, ECANCELED, "given up");
        int64_t left = can_send ? tar_reader_left(reader) : 0;
        if (left >= READ_AT_ONCE) {
            int64_t sent = tar_reader_send(reader, source, left < SENT_AT_ONCE ? (size_t)left : SENT_AT_ONCE, error);
            if (sent < 0)
                return -1;
            can_send = sent > 0;
            continue;
        }
        ssize_t size = read(source, ring->bytes, READ_AT_ONCE);
        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0)
            return unpack_fail(error, errno, "reading the archive: %s", strerror(errno));
        if (size == 0)
            break;
        if (tar_reader_feed(reader, ring->bytes, (size_t)size, error) < 0)
            return -1;
    }
    return tar_reader_end(reader, error);
}

/* The child's task. */
struct task {
    pid_t parent;
    int target;
    int recipe; /* a file to write the recipe to, or (PODPY_UNPACK_FILE) with the archive, or -1 */
    unsigned flags;
    const struct podpy_unpack_options *options;
};

static int unpack_all(struct ring *ring, const struct task *task, bool jailed, struct unpack_error *error)
{
    struct place *place = place_new(task->target, jailed, task->flags, task->options, &ring->result);
    bool from_file = task->flags & PODPY_UNPACK_FILE, records = task->recipe >= 0 && !from_file;
    struct recipe *recipe = records ? recipe_new(task->recipe) : NULL;
    struct tar_reader *reader = place ? tar_reader_new(place, recipe) : NULL;
    if (!reader || (records && !recipe))
        return unpack_fail(error, ENOMEM, "out of memory");
    if ((from_file ? consume_file(ring, task->parent, task->recipe, reader, error) : consume(ring, task->parent, reader, error)) < 0) {
        place_free(place); /* also removes its unfinished file */
        return -1;
    }
    return place_finish(place, error); /* frees nothing: the process ends */
}

/* Ctrl-C must end podpy, but not this process: it notices podpy's end, and removes its unfinished file. */
static void default_signals(bool plain)
{
    struct sigaction action = { .sa_handler = SIG_DFL };
    sigset_t none;
    for (int number = 1; number < NSIG; number++)
        sigaction(number, &action, NULL); /* Python's handlers write to descriptors that are other files here */
    action.sa_handler = SIG_IGN;
    if (plain && (sigaction(SIGINT, &action, NULL) < 0 || sigaction(SIGTERM, &action, NULL) < 0
                  || sigaction(SIGHUP, &action, NULL) < 0))
        _exit(1);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* An archive can repeat a long name a million times at no cost. Then malloc must fail here, before the kernel kills another
 * process for lack of memory. */
static void limit_memory(void)
{
    char text[256] = "";
    unsigned long data;
    int file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    ssize_t size = file < 0 ? -1 : read(file, text, sizeof text - 1);
    if (file >= 0)
        close(file);
    if (size <= 0 || sscanf(text, "%*u %*u %*u %*u %*u %lu", &data) != 1)
        return;
    struct rlimit limit = { .rlim_cur = data * (unsigned long)sysconf(_SC_PAGESIZE) + MEMORY_ROOM };
    limit.rlim_max = limit.rlim_cur;
    setrlimit(RLIMIT_DATA, &limit); /* fails if there is a lower limit: that one will do */
}

__attribute__((noreturn)) static void child_main(struct ring *ring, struct task *task)
{
    struct unpack_error error = { 0 };
    default_signals(task->flags & PODPY_UNPACK_PLAIN);
    limit_memory();
    umask(0);
    int jailed = jail_enter(&task->target, &task->recipe, &error);
    if (jailed >= 0)
        jail_drop_rights(task->flags);
    if (jailed < 0 || unpack_all(ring, task, jailed == 1, &error) < 0)
        report(&ring->result, &error);
    atomic_store(&ring->failed, 1);
    bell_ring(&ring->room);
    _exit(0);
}

struct podpy_unpack *podpy_unpack_start(int target, int recipe, unsigned flags, const struct podpy_unpack_options *options)
{
    struct podpy_unpack *unpack = calloc(1, sizeof *unpack);
    sigset_t all, before;
    if (!unpack)
        return NULL;
    unpack->plain = flags & PODPY_UNPACK_PLAIN;
    unpack->watched = -1;
    unpack->ring = mmap(NULL, sizeof *unpack->ring, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (unpack->ring == MAP_FAILED) {
        free(unpack);
        return NULL;
    }
    struct task task = { .parent = getpid(), .target = target, .recipe = recipe, .flags = flags, .options = options };
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    unpack->child = fork();
    if (unpack->child == 0)
        child_main(unpack->ring, &task);
    int code = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (unpack->child < 0) {
        munmap(unpack->ring, sizeof *unpack->ring);
        free(unpack);
        errno = code;
        return NULL;
    }
    return unpack;
}

int podpy_unpack_open(const struct podpy_unpack *unpack)
{
#ifdef SYS_pidfd_open
    return (int)syscall(SYS_pidfd_open, unpack->child, 0);
#else
    errno = ENOSYS;
    return -1;
#endif
}

void podpy_unpack_watch(struct podpy_unpack *unpack, int watched)
{
    unpack->watched = watched;
}

/* Returns 1 while the child is alive. */
static int child_lives(struct podpy_unpack *unpack)
{
    struct pollfd ended = { .fd = unpack->watched, .events = POLLIN };
    struct timespec at_once = { 0 };
    if (unpack->watched >= 0)
        return ppoll(&ended, 1, &at_once, NULL) <= 0;
    if (!unpack->child)
        return 0;
    pid_t waited = waitpid(unpack->child, &unpack->status, WNOHANG);
    if (waited == 0 || (waited < 0 && errno == EINTR))
        return 1;
    unpack->child = 0;
    return 0;
}

/* Returns 0, 1 if the archive's end has been read, or -1 if the child has stopped reading; podpy_unpack_finish then returns the
 * reason. */
int podpy_unpack_feed(struct podpy_unpack *unpack, const uint8_t *data, size_t size)
{
    struct ring *ring = unpack->ring;
    uint64_t position = atomic_load(&ring->written);
    while (size > 0) {
        uint32_t rung = atomic_load(&ring->room.rung);
        if (atomic_load(&ring->failed))
            return -1;
        size_t room = RING_SIZE - (size_t)(position - atomic_load(&ring->read));
        if (room == 0) {
            bell_wait(&ring->room, rung);
            if (atomic_load(&ring->room.rung) == rung && !child_lives(unpack))
                return -1;
            continue;
        }
        size_t offset = position % RING_SIZE;
        size_t part = size < room ? size : room;
        if (part > RING_SIZE - offset)
            part = RING_SIZE - offset;
        memcpy(ring->bytes + offset, data, part);
        position += part;
        atomic_store(&ring->written, position);
        bell_ring(&ring->data);
        data += part;
        size -= part;
    }
    return (int)atomic_load(&ring->complete);
}

static void release(struct podpy_unpack *unpack, struct podpy_unpack_result *result)
{
    while (unpack->child && waitpid(unpack->child, &unpack->status, 0) < 0 && errno == EINTR)
        ;
    *result = unpack->ring->result;
    result->text[sizeof result->text - 1] = '\0';
    if (!result->failed && (!WIFEXITED(unpack->status) || WEXITSTATUS(unpack->status))) {
        struct unpack_error error = { 0 };
        unpack_fail(&error, ECHILD, "the unpacker was killed (wait status 0x%x)", (unsigned)unpack->status);
        report(result, &error);
    }
    munmap(unpack->ring, sizeof *unpack->ring);
    free(unpack);
}

int podpy_unpack_finish(struct podpy_unpack *unpack, struct podpy_unpack_result *result)
{
    atomic_store(&unpack->ring->ended, 1);
    bell_ring(&unpack->ring->data);
    release(unpack, result);
    return result->failed ? -1 : 0;
}

void podpy_unpack_abort(struct podpy_unpack *unpack, struct podpy_unpack_result *result)
{
    if (unpack->plain) {
        atomic_store(&unpack->ring->given_up, 1);
        bell_ring(&unpack->ring->data);
    } else if (unpack->child) {
        kill(unpack->child, SIGKILL);
    }
    release(unpack, result);
}

/* Without a child, for the fuzzer and the sanitizers. */
int podpy_unpack_here(int target, int recipe_file, unsigned flags, const struct podpy_unpack_options *options,
                      const uint8_t *data, size_t size, size_t chunk, struct podpy_unpack_result *result)
{
    struct unpack_error error = { 0 };
    mode_t before = umask(0);
    memset(result, 0, sizeof *result);
    struct place *place = place_new(target, false, flags, options, result);
    struct recipe *recipe = recipe_new(recipe_file);
    struct tar_reader *reader = place && recipe ? tar_reader_new(place, recipe) : NULL;
    int failed = reader ? 0 : -1;
    for (size_t used = 0; failed == 0 && used < size; used += chunk)
        failed = tar_reader_feed(reader, data + used, size - used < chunk ? size - used : chunk, &error);
    if (failed == 0)
        failed = tar_reader_end(reader, &error);
    if (failed == 0)
        failed = place_finish(place, &error);
    if (failed < 0)
        report(result, &error);
    tar_reader_free(reader);
    recipe_free(recipe);
    place_free(place);
    umask(before);
    return failed;
}

int64_t podpy_fs_type(const char *path)
{
    struct statfs status;
    return statfs(path, &status) < 0 ? -1 : (int64_t)(uint32_t)status.f_type;
}
