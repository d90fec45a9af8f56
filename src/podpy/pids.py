"""Processes that podpy didn't just start: a pid alone proves nothing, a pid with its start time does.

proc_pid_stat(5): field 22 is the time the process started after boot, in clock ticks. Together with the boot id of the
run directory it names one process for ever.
"""

from __future__ import annotations

import os

from podpy import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from signal import pidfd_send_signal
else:
    from _signal import pidfd_send_signal  # the C half: `signal` itself imports `enum`

_START_TIME = 19  # field 22, counted from the one after the command's closing parenthesis (field 3)
_STATE = 0


def start_time(pid: int) -> int:
    """Return when a process started, in clock ticks since boot; 0 if the process is gone, or a zombie."""
    fields = stat_fields(pid)
    if not fields or fields[_STATE] in "ZX":
        return 0
    return int(fields[_START_TIME])


def is_alive(pid: int, started: int) -> bool:
    """Return whether the process `pid` that started at `started` (clock ticks) is still there and not a zombie."""
    return pid > 0 and started > 0 and start_time(pid) == started


def is_stopped(pid: int, started: int) -> bool:
    """Return whether exactly this process was stopped by a signal, or by a debugger."""
    fields = stat_fields(pid)
    return bool(fields) and fields[_STATE] in "Tt" and int(fields[_START_TIME]) == started


def open_pidfd(pid: int, started: int) -> int:
    """Return a pidfd of exactly this process, or -1 if it has ended. The caller closes it."""
    if pid <= 0:
        return -1
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return -1
    # The pid could have been reused before pidfd_open, not after: so the start time is looked at now.
    if is_alive(pid, started):
        return descriptor
    os.close(descriptor)
    return -1


def send_signal(pid: int, started: int, number: int) -> bool:
    """Send a signal to exactly this process; return False if it has ended. Raises PermissionError.

    By a pidfd: between a look at the pid and the signal the process could end and its number be given to another.
    """
    descriptor = open_pidfd(pid, started)
    if descriptor < 0:
        return False
    try:
        pidfd_send_signal(descriptor, number)
    except ProcessLookupError:
        return False
    finally:
        os.close(descriptor)
    return True


def stat_fields(pid: int | str) -> list[str]:
    """Return the fields of /proc/PID/stat (proc_pid_stat(5)) from the third on, the state; none if it is gone."""
    return files.read_record(f"/proc/{pid}/stat").rpartition(")")[2].split()


def namespace(pid: int | str, kind: str) -> str:
    """Return a process's namespace ("pid", "net" …) as /proc names it (namespaces(7)); empty: it can't be seen."""
    try:
        return os.readlink(f"/proc/{pid}/ns/{kind}")
    except OSError:
        return ""
