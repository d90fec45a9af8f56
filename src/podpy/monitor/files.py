"""The files of a monitor, and whether a process is one.

    runroot/containers/ID/conmon.pid   the monitor's pid
    runroot/containers/ID/pidfile      the pid of the container's first process
    runroot/exits/ID                   the exit record: the code in decimal; its mtime is the time

conmon writes them. A pid in a file proves nothing, since pids are used again: whether that process is the monitor, its
command line says. Imports nothing but the bottom layer, so that rooms below this one may ask, too.
"""

from __future__ import annotations

import os

from podpy import files
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

MONITOR = "conmon.pid"
FIRST_PROCESS = "pidfile"
EXEC_EXIT = "exit"  # how an exec session has ended, in its own directory
EXIT_UNKNOWN = -1  # nobody saw how the container ended: conmon was killed, or the machine rebooted


class ExitRecord(Record):
    """How a container ended: `finished` is nanoseconds since 1970; the code is -1 if `--timeout` killed it (Podman)."""

    exit_code: int
    finished: int
    oom_killed: bool = False


def read_exit_record(exit_directory: str, container_id: str) -> ExitRecord | None:
    """Return the exit record of a container, or None if conmon has written none (yet)."""
    path = os.path.join(exit_directory, container_id)
    try:
        with open(path, encoding="ascii") as file:
            text = file.read().strip()
            finished = os.fstat(file.fileno()).st_mtime_ns
    except (FileNotFoundError, UnicodeDecodeError):
        return None
    code = int(text) if text.lstrip("-").isdigit() else EXIT_UNKNOWN
    return ExitRecord(exit_code=code, finished=finished)


def read_pidfile(path: str) -> int:
    """Return the pid in a file, or 0 if there is none (yet). Raises OSError for another reason than that."""
    try:
        text = files.read(path).strip()
    except FileNotFoundError:
        return 0
    return int(text) if text.isdigit() else 0


def is_monitor_of(pid: int, container_id: str) -> bool:
    """Return whether a process is the monitor of this container: its command line has the id (conmon's `-c`)."""
    return bool(pid) and container_id in files.read_small(f"/proc/{pid}/cmdline").split("\0")


def monitors(runroot: str) -> Iterator[tuple[str, int]]:
    """Yield the id and the monitor's pid of each container of a run directory whose monitor is alive."""
    directory = runroot + "/containers"
    try:
        names = os.listdir(directory)
    except OSError:
        return
    for name in names:
        try:
            pid = read_pidfile(f"{directory}/{name}/{MONITOR}")
        except OSError:
            continue
        if is_monitor_of(pid, name):
            yield name, pid
