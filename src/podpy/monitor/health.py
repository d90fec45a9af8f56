"""The protocol between podpy and its monitor for health checks and restarts (docs/conmon.md, "Health checks").

DIR/config         one "KEY VALUE" a line; DIR is runroot/containers/ID/health (conmon's --health-dir)
DIR/RUN.json       the OCI `process` of a check or a hook that is a command; RUN is process, startup, readiness,
                   post_start or pre_stop
DIR/RUN.argv       or the command line of podpy's program for it, which runs in the container's network namespace
DIR/answer.N       a fifo: the exit code of the check that "3 N 0" on BUNDLE/ctl requested
"""

from __future__ import annotations

import fcntl
import os
import select

from podpy import fastjson, files, pids
from podpy.monitor.files import HEALTH

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

PROCESS = "process"
STARTUP = "startup"
READINESS = "readiness"
POST_START = "post_start"
PRE_STOP = "pre_stop"
_CONFIG = "config"
_LOCK = "lock"
_CHANGED = 0
_STOPPING = -1
_NO_RESTART = "4 0 0\n"
_POLICIES = ("no", "on-failure", "always")
_LONGEST = 2**31 - 1  # milliseconds: a control message consists of ints


def write(run_directory: str, config: dict[str, int | str], runs: dict[str, dict[str, Any] | list[str]]) -> None:
    """Write the configuration and the runs: OCI processes, or command lines of programs. Raises OSError."""
    directory = f"{run_directory}/{HEALTH}"
    os.makedirs(directory, mode=0o700, exist_ok=True)
    for name, run in runs.items():
        if isinstance(run, dict):
            files.replace(f"{directory}/{name}.json", fastjson.dumps(run))
            files.unlink(f"{directory}/{name}.argv")
        else:
            files.replace(f"{directory}/{name}.argv", "".join(f"{word}\0" for word in run))
    text = "".join(f"{key} {value}\n" for key, value in config.items())
    files.replace(f"{directory}/{_CONFIG}", text)  # last, so that its reader finds the others


def forget(run_directory: str) -> None:
    """Remove the configuration, since there is no check any more. Raises OSError."""
    files.unlink(f"{run_directory}/{HEALTH}/{_CONFIG}")


def tell_changed(run_directory: str) -> None:
    """Make the monitor read the configuration again."""
    _tell(run_directory, _CHANGED)


def tell_stopping(run_directory: str) -> None:
    """Make the monitor end its checks, and plan no restart, since the user stops the container."""
    _write_line(run_directory, f"3 {_STOPPING} 0\n{_NO_RESTART}")


def tell_to_stop(run_directory: str, seconds: int) -> bool:
    """Make the monitor run the hook preStop and then stop the container; return whether there is a monitor.

    The monitor continues if this call is killed. `seconds`: until SIGKILL; negative: never.
    """
    milliseconds = min(seconds * 1000, _LONGEST) if seconds >= 0 else -1
    return _write_line(run_directory, f"6 {milliseconds} 0\n")


def tell_killed(run_directory: str) -> None:
    """Make the monitor plan no restart when the container ends, since the user has sent it a signal."""
    _write_line(run_directory, _NO_RESTART)


def tell_policy(run_directory: str, policy: str) -> None:
    """Give the monitor another restart policy: no, on-failure, always."""
    _write_line(run_directory, f"5 {_POLICIES.index(policy)} 0\n")


def check_now(run_directory: str, monitor: int, monitor_start: int) -> int | None:
    """Make the monitor run the check, and return its exit code: -1 after a timeout, None without an answer.

    Requests of several calls run one after the other.
    """
    directory = f"{run_directory}/{HEALTH}"
    lock = os.open(f"{directory}/{_LOCK}", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    path = f"{directory}/answer.{os.getpid()}"
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        files.unlink(path)
        os.mkfifo(path, 0o600)
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            if not _tell(run_directory, os.getpid()):
                return None
            return _answer(descriptor, monitor, monitor_start)
        finally:
            os.close(descriptor)
    finally:
        files.unlink(path)
        os.close(lock)


def _answer(descriptor: int, monitor: int, monitor_start: int) -> int | None:
    process = pids.open_pidfd(monitor, monitor_start)
    if process < 0:
        return None
    try:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        poll.register(process, select.POLLIN)
        poll.poll()
        text = os.read(descriptor, 32).decode("ascii", "replace").strip()
    except BlockingIOError:
        return None
    finally:
        os.close(process)
    return int(text) if text.lstrip("-").isdigit() else None


def _tell(run_directory: str, number: int) -> bool:
    return _write_line(run_directory, f"3 {number} 0\n")


def _write_line(run_directory: str, line: str) -> bool:
    """Write to the monitor's fifo; return whether there is a monitor."""
    try:
        descriptor = os.open(f"{run_directory}/bundle/ctl", os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:  # there is no fifo, or no monitor reads it
        return False
    try:
        os.write(descriptor, line.encode())
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True
