"""The everyday path: join the user's namespaces, which the first call of a boot has made.

A later call costs one small file, one pidfd, one setns(2). What the record says is checked (start time, boot id), so a
process that got the holder's old pid is never joined. A caller whose mounts aren't those that the holder's were copied
from joins the user namespace only, and copies its own.
"""

from __future__ import annotations

import errno
import os

from podpy import files, linux
from podpy.errors import RootlessError
from podpy.pids import open_pidfd
from podpy.rootless.holder import read_record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.config.paths import Paths
    from podpy.plan import Trace

    IdMap = list[tuple[int, int, int]]

# `podpy unshare` sets it for its command, as Podman's does: scripts ask it who they are outside.
UID_VARIABLE = "_CONTAINERS_ROOTLESS_UID"
GID_VARIABLE = "_CONTAINERS_ROOTLESS_GID"


def enter(paths: Paths, trace: Trace | None = None) -> None:
    """Put this process into the user's user and mount namespaces. It is uid 0 there, with all capabilities.

    Root returns at once, and so does a process that is inside already. The working directory is looked up again by its
    name. Raises RootlessError with the mend; EINVAL's case, a process with threads, names `run_inside`.
    """
    check_boot(paths)
    if is_inside(paths):
        return
    while not _join_holder(paths, trace):  # it was killed just now: the next one is made
        pass
    if trace is not None:
        trace.mark("user namespace joined")


def is_inside(paths: Paths) -> bool:
    """Return whether there is nothing to enter: this is root, or uid 0 of a user namespace with the right to mount."""
    if not paths.rootless:
        return True
    return os.geteuid() == 0 and linux.has_capability(linux.CAP_SYS_ADMIN)


def join(pidfd: int, *, same_mounts: bool = True) -> None:
    """Join the user and mount namespaces of a process, by its pidfd. Raises RootlessError, ProcessLookupError if it has
    ended.

    Without `same_mounts` only the user namespace is joined, and the mount namespace is a copy of the caller's.
    """
    try:
        directory = os.getcwd()
    except FileNotFoundError:
        directory = "/"
    try:
        if same_mounts:
            linux.setns(pidfd, linux.CLONE_NEWUSER | linux.CLONE_NEWNS)
        else:
            linux.setns(pidfd, linux.CLONE_NEWUSER)
            linux.unshare(linux.CLONE_NEWNS)
    except ProcessLookupError:
        raise
    except OSError as error:
        raise _join_error(error) from error
    try:
        os.chdir(directory)
    except OSError:  # not to be had by its name; setns(2) has put us into the root directory
        pass


def idmaps() -> tuple[IdMap, IdMap]:
    """Return the id maps of this process's user namespace, (uids, gids): lists of (inside, outside, size)."""
    return _read_map("/proc/self/uid_map"), _read_map("/proc/self/gid_map")


def check_boot(paths: Paths) -> bool:
    """Note the boot in the run directory; clear what an earlier boot left there. Return whether there was anything.

    A run directory on a persistent filesystem (a fall-back in /var/tmp, `--runroot`) outlives a reboot; what it tells
    of doesn't.
    """
    try:
        descriptor = os.open(paths.runroot + "/boot-id", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        from podpy.rootless.first import clear_run_directory

        return clear_run_directory(paths)
    noted = os.read(descriptor, 64).decode()
    os.close(descriptor)
    if noted == paths.boot_id:
        return False
    from podpy.rootless.first import clear_run_directory

    return clear_run_directory(paths)


def _join_holder(paths: Paths, trace: Trace | None) -> bool:
    """Join the holder's namespaces, or a new one's if there is none. Return False if it ended meanwhile."""
    pidfd = _open_holder(paths)
    if pidfd < 0:
        from podpy.rootless.first import make_namespaces

        pidfd = make_namespaces(paths)
        if trace is not None:
            trace.mark("user namespace made")
    try:
        join(pidfd, same_mounts=_sees_same_mounts(paths))
    except ProcessLookupError:
        import select

        # A process gives its namespaces up before its end: until then it still looks alive.
        end = select.poll()
        end.register(pidfd, select.POLLIN)
        end.poll()
        return False
    finally:
        os.close(pidfd)
    return True


def _open_holder(paths: Paths) -> int:
    record = read_record(paths)
    if record is None:
        return -1
    if record.is_single:
        from podpy.rootless.first import ranges_have_come

        if ranges_have_come(paths):
            return -1
    return open_pidfd(record.pid, record.start)


def _sees_same_mounts(paths: Paths) -> bool:
    record = read_record(paths)
    return record is not None and record.origin == os.stat("/proc/self/ns/mnt").st_ino


def _join_error(error: OSError) -> RootlessError:
    from podpy.rootless.checks import mends

    if error.errno == errno.EINVAL and len(os.listdir("/proc/self/task")) > 1:
        return RootlessError(
            "can't enter the user namespace: this process has several threads, and the kernel lets only a process "
            "with one do it",
            hint="Use podpy.Runtime, or podpy.rootless.run_inside, which do it in a forked helper",
        )
    return mends.explain("join the user namespace", error)


def _read_map(path: str) -> IdMap:
    rows = [line.split() for line in files.read(path).splitlines()]
    return [(int(inside), int(outside), int(size)) for inside, outside, size in rows]
