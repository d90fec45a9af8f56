"""The record of the holder, the process that keeps the user's namespaces: runroot/holder.

One line of six words, written aside and renamed:

    PID START     the process, and when it started, in clock ticks since boot
    BOOT          the boot id
    USER          inode number of the user namespace
    ORIGIN        inode number of the mount namespace that its mounts were copied from; a caller that is in another
                  one (PrivateTmp=, `unshare -m`) joins the user namespace only and keeps the mounts it sees
    MODE          `map`, or `single` (one id only)

It is written and removed under the lock runroot/holder.lock, and read without one. A crash leaves a record of a dead
process, which proves nothing and is replaced by the next call, or a holder that waits for its caller, sees its end and
ends too.
"""

from __future__ import annotations

import os

from podpy import files
from podpy.pids import open_pidfd, start_time
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from signal import pidfd_send_signal
    from types import TracebackType
    from typing import Self

    from podpy.config.paths import Paths
else:
    from _signal import pidfd_send_signal  # the C half: `signal` itself imports `enum`, 12 ms of a first call

MAP = "map"
SINGLE = "single"
_SIGKILL = 9


class Holder(Record):
    """What the record says of a holder of this boot. The numbers of namespaces are inode numbers."""

    pid: int
    start: int
    namespace: int
    origin: int
    mode: str

    @property
    def is_single(self) -> bool:
        """Whether the namespace has only one id."""
        return self.mode == SINGLE


def program() -> str:
    """Return the path of the program that a holder runs."""
    from podpy.process import own_program

    return own_program("holder")


def read_record(paths: Paths) -> Holder | None:
    """Return the record if it is of this boot: an older one proves nothing."""
    words = files.read_small(paths.holder).split()
    if len(words) != 6 or not all(words[place].isdigit() for place in (0, 1, 3, 4)):
        return None
    pid, start, boot, namespace, origin, mode = words
    if boot != paths.boot_id:
        return None
    return Holder(pid=int(pid), start=int(start), namespace=int(namespace), origin=int(origin), mode=mode)


class HolderLock:
    """The lock that guards the record: a call that makes or ends namespaces holds it. It never waits for people."""

    def __init__(self, paths: Paths) -> None:
        self._path = paths.holder + ".lock"
        self._descriptor = -1

    def __enter__(self) -> Self:
        import fcntl

        self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        os.close(self._descriptor)


def write_record(paths: Paths, pid: int, mode: str) -> None:
    """Note the holder `pid`. The caller has the HolderLock."""
    user = os.stat(f"/proc/{pid}/ns/user").st_ino
    origin = os.stat("/proc/self/ns/mnt").st_ino
    files.replace(paths.holder, f"{pid} {start_time(pid)} {paths.boot_id} {user} {origin} {mode}\n")


def find(paths: Paths) -> int:
    """Return the living holder's pid, or 0."""
    record = read_record(paths)
    return record.pid if record is not None and start_time(record.pid) == record.start else 0


def end(paths: Paths) -> bool:
    """End the holder and remove its record: the next call makes new namespaces, unless a container still runs in these.

    Return whether there was one. Returns when it has ended.
    """
    with HolderLock(paths):
        return end_locked(paths)


def end_locked(paths: Paths) -> bool:
    """Do the work of `end`, for a caller that has the HolderLock."""
    ended = False
    record = read_record(paths)
    pidfd = open_pidfd(record.pid, record.start) if record is not None else -1
    if pidfd >= 0:
        import select

        pidfd_send_signal(pidfd, _SIGKILL)
        poll = select.poll()
        poll.register(pidfd, select.POLLIN)
        poll.poll(5000)
        os.close(pidfd)
        ended = True
    files.unlink(paths.holder)
    return ended
