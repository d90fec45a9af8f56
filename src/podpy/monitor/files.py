"""The files that conmon writes, and whether a process is the monitor that a file tells of."""

from __future__ import annotations

import os

from podpy.record import Record

EXIT_UNKNOWN = 255  # nobody saw how the container ended: conmon was killed, or the machine rebooted


class ExitRecord(Record):
    """How a container ended, as conmon wrote it."""

    exit_code: int
    finished: int
    oom_killed: bool = False


def read_exit_record(exit_directory: str, container_id: str) -> ExitRecord | None:
    """Return the exit record that conmon wrote (exits/ID: the code in decimal, its mtime is the time), if it did."""
    path = os.path.join(exit_directory, container_id)
    try:
        with open(path, encoding="ascii") as file:
            text = file.read().strip()
            finished = os.fstat(file.fileno()).st_mtime_ns
    except (FileNotFoundError, UnicodeDecodeError):
        return None
    code = int(text) if text.lstrip("-").isdigit() else EXIT_UNKNOWN
    return ExitRecord(exit_code=code if code >= 0 else EXIT_UNKNOWN, finished=finished)


def is_monitor_of(pid: int, container_id: str) -> bool:
    """Return whether a process is the monitor of this container: its command line has the id."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return container_id.encode() in file.read().split(b"\0")
    except (FileNotFoundError, ProcessLookupError):
        return False


def read_pidfile(path: str) -> int:
    """Return the pid in a file, or 0 if there is none (yet)."""
    try:
        with open(path, encoding="ascii") as file:
            text = file.read().strip()
    except FileNotFoundError:
        return 0
    return int(text) if text.isdigit() else 0
