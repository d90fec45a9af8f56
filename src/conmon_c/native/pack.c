/* The packer's interface for Python: start, wait, read the result.
 *
 * A forked child in a jail like the unpacker's (unpack_jail.c) walks the tree: its root is the tree, it can only read, and
 * it has only the descriptors of the tree and the archive. It ends with the thread that has started it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pack_internal.h"

#define TRAILER (2 * TAR_BLOCK)

struct podpy_pack {
    struct podpy_pack_result *result; /* shared with the child */
    pid_t child; /* 0: it has been waited for */
    int status;
};

/* What the child is to do. */
struct task {
    pid_t parent;
    int source;
    int output;
    struct podpy_unpack *target; /* where it goes to, or NULL; if it does, `output` is a pidfd of that child */
    const struct podpy_pack_options *options;
};

static int pack_all(const struct task *task, struct podpy_pack_result *result, struct unpack_error *error)
{
    struct packer packer = { .options = task->options, .result = result };
    struct stat status;
    int done = -1;
    packer.output = output_new(task->output, task->target, result);
    packer.links = links_new();
    if (!packer.output || !packer.links)
        unpack_fail(error, ENOMEM, "out of memory");
    else if (fstat(task->source, &status) < 0)
        pack_fail(&packer, "looking at it", error);
    else if (S_ISDIR(status.st_mode))
        done = pack_tree(&packer, task->source, error);
    else
        done = pack_single(&packer, task->source, &status, error);
    if (done == 0)
        done = output_zeros(packer.output, TRAILER, error);
    if (done == 0)
        done = output_flush(packer.output, error);
    links_free(packer.links);
    output_free(packer.output);
    text_free(&packer.path);
    return done;
}

static void report(struct podpy_pack_result *result, const struct unpack_error *error)
{
    result->failed = 1;
    result->code = error->code;
    memcpy(result->text, error->text, sizeof error->text);
}

static void default_signals(void)
{
    struct sigaction action = { .sa_handler = SIG_DFL };
    sigset_t none;
    for (int number = 1; number < NSIG; number++)
        sigaction(number, &action, NULL); /* Python's handlers write to descriptors that are other files here */
    action.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &action, NULL); /* report it as an error if the reader is gone */
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

__attribute__((noreturn)) static void child_main(struct task *task, struct podpy_pack_result *result)
{
    struct unpack_error error = { 0 };
    default_signals();
    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (getppid() != task->parent)
        _exit(1);
    int jailed = jail_enter(&task->source, &task->output, &error);
    if (jailed >= 0)
        jail_drop_rights_of_reader(task->options->flags & PODPY_PACK_USERNS);
    if (task->target)
        podpy_unpack_watch(task->target, task->output);
    if (jailed < 0 || pack_all(task, result, &error) < 0)
        report(result, &error);
    _exit(0);
}

static struct podpy_pack *start(struct task *task)
{
    struct podpy_pack *pack = calloc(1, sizeof *pack);
    sigset_t all, before;
    if (!pack)
        return NULL;
    pack->result = mmap(NULL, sizeof *pack->result, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (pack->result == MAP_FAILED) {
        free(pack);
        return NULL;
    }
    task->parent = getpid();
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pack->child = fork();
    if (pack->child == 0)
        child_main(task, pack->result);
    int code = errno;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (pack->child < 0) {
        munmap(pack->result, sizeof *pack->result);
        free(pack);
        errno = code;
        return NULL;
    }
    return pack;
}

struct podpy_pack *podpy_pack_start(int source, int output, const struct podpy_pack_options *options)
{
    struct task task = { .source = source, .output = output, .options = options };
    return start(&task);
}

struct podpy_pack *podpy_pack_into(int source, struct podpy_unpack *target, const struct podpy_pack_options *options)
{
    struct task task = { .source = source, .output = podpy_unpack_open(target), .target = target, .options = options };
    if (task.output < 0)
        return NULL;
    struct podpy_pack *pack = start(&task);
    int code = errno;
    close(task.output);
    errno = code;
    return pack;
}

int podpy_pack_wait(struct podpy_pack *pack)
{
    if (!pack->child)
        return 0;
    pid_t waited = waitpid(pack->child, &pack->status, 0);
    if (waited < 0 && errno == EINTR)
        return 1;
    if (waited < 0)
        pack->status = -1; /* another thread has reaped it */
    pack->child = 0;
    return 0;
}

int podpy_pack_finish(struct podpy_pack *pack, struct podpy_pack_result *result)
{
    while (podpy_pack_wait(pack))
        ;
    *result = *pack->result;
    result->text[sizeof result->text - 1] = '\0';
    result->first_shrunk[sizeof result->first_shrunk - 1] = '\0';
    if (!result->failed && (!WIFEXITED(pack->status) || WEXITSTATUS(pack->status))) {
        struct unpack_error error = { 0 };
        unpack_fail(&error, ECHILD, "the packer was killed (wait status 0x%x)", (unsigned)pack->status);
        report(result, &error);
    }
    munmap(pack->result, sizeof *pack->result);
    free(pack);
    return result->failed ? -1 : 0;
}

void podpy_pack_abort(struct podpy_pack *pack)
{
    struct podpy_pack_result ignored;
    if (pack->child)
        kill(pack->child, SIGKILL);
    podpy_pack_finish(pack, &ignored);
}

int podpy_pack_here(int source, int output, const struct podpy_pack_options *options, struct podpy_pack_result *result)
{
    struct unpack_error error = { 0 };
    memset(result, 0, sizeof *result);
    struct task task = { .source = source, .output = output, .options = options };
    int done = pack_all(&task, result, &error);
    if (done < 0)
        report(result, &error);
    return done;
}
