"""The mount namespace of this process: one of its own, and what is mounted in it."""

from __future__ import annotations

import os

from podpy import linux

_MOUNT_POINT = 4  # proc_pid_mountinfo(5): the field's place in a line


def private_mounts() -> None:
    """Give this process its own mount namespace: the host's mounts still arrive there, and none of ours leaves."""
    linux.unshare(linux.CLONE_NEWNS)
    linux.mount(None, "/", None, linux.MS_REC | linux.MS_SLAVE)


class Privately:
    """A block in which this thread has a mount namespace of its own. Afterwards the thread is where it was.

    Files that were opened before keep belonging to the old one's mounts: nothing can be linked between the two.
    """

    def __enter__(self) -> None:
        self._namespace = os.open("/proc/thread-self/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)
        self._directory = os.open(".", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        self._leave()

    def _leave(self) -> None:
        private_mounts()

    def __exit__(self, *_error: object) -> None:
        try:
            linux.setns(self._namespace, linux.CLONE_NEWNS)
            os.fchdir(self._directory)  # setns(2) goes to the root
        finally:
            os.close(self._namespace)
            os.close(self._directory)


class Elsewhere(Privately):
    """A block in which this thread is in the mount namespace of another process. Raises OSError if that has ended."""

    def __init__(self, pid: int) -> None:
        self._pid = pid

    def _leave(self) -> None:
        linux.unshare(linux.CLONE_FS)  # setns(2) wants a thread whose working directory is its own
        theirs = os.open(f"/proc/{self._pid}/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)
        try:
            linux.setns(theirs, linux.CLONE_NEWNS)
        finally:
            os.close(theirs)


def mount_points(process: str = "self") -> list[str]:
    """Return where something is mounted, parents first, as a process (its pid) sees it. Raises OSError."""
    with open(f"/proc/{process}/mountinfo", "rb") as file:
        return [_unescaped(line.split(b" ", _MOUNT_POINT + 1)[_MOUNT_POINT]) for line in file]


def _unescaped(path: bytes) -> str:
    # proc(5): blanks, tabs, newlines and backslashes are written as octal numbers.
    if b"\\" in path:
        for character in b" \t\n\\":
            path = path.replace(b"\\%03o" % character, bytes([character]))
    return os.fsdecode(path)
