"""The files of a monitor, and whether a process is one.

    runroot/containers/ID/conmon.pid   the monitor's pid
    runroot/containers/ID/pidfile      the pid of the container's first process
    runroot/containers/ID/health/      the configuration of health checks and hooks (podpy.monitor.health)
    runroot/containers/ID/restart      the monitor's decision about a restart
    runroot/containers/ID/update       limits given to the runtime, until the container's row has them
    runroot/containers/ID/ports        ports being published or unpublished, until the container's row has them
    runroot/health/ID                  results of its health checks
    runroot/health/ID.readiness        results of its readiness checks; ID.hook: of its hooks
    runroot/exits/ID                   the exit record: the code in decimal; its mtime is the time

A pid in a file proves nothing, since the kernel reuses pids: only the command line shows whether a process is the
monitor. This module imports only the bottom layer, so rooms below this one may use it, too.
"""

from __future__ import annotations

import os

from podpy import files
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MONITOR = "conmon.pid"
OOM = "oom"  # there as soon as the kernel has killed a process for lack of memory
FIRST_PROCESS = "pidfile"
EXEC_EXIT = "exit"  # the exit record of an exec session, in its own directory
RESTART = "restart"
HEALTH = "health"
READINESS = ".readiness"  # suffix of a container's id
HOOK = ".hook"
UNCOMMITTED = "update"
CHANGING_PORTS = "ports"
_LONGEST_CODE = 16  # bytes
EXIT_UNKNOWN = -1  # no exit record: conmon was killed, or the machine rebooted


class ExitRecord(Record):
    """How a container ended: `finished` is nanoseconds since 1970; the code is -1 if `--timeout` killed it (Podman)."""

    exit_code: int
    finished: int
    oom_killed: bool = False


class RestartNote(Record):
    """The monitor's decision at the container's end: it waits `delay` milliseconds before a restart.

    `why`: policy, health (a health check ended the container to restart it), stop (it must not be restarted).
    """

    delay: int
    why: str

    @property
    def is_waiting(self) -> bool:
        """Whether the container will be restarted."""
        return self.why in ("policy", "health")


def read_restart_note(run_directory: str) -> RestartNote | None:
    """Return the monitor's decision about a restart; None if there is none, as with another conmon."""
    delay, _, why = files.read_small(os.path.join(run_directory, RESTART)).strip().partition(" ")
    return RestartNote(delay=int(delay), why=why) if delay.isdigit() else None


def read_exit_record(exit_directory: str, container_id: str) -> ExitRecord | None:
    """Return the exit record of a container, or None if conmon hasn't written it (yet)."""
    path = os.path.join(exit_directory, container_id)
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        text = os.read(descriptor, _LONGEST_CODE).strip()
        finished = os.fstat(descriptor).st_mtime_ns
    finally:
        os.close(descriptor)
    code = int(text) if text.lstrip(b"-").isdigit() else EXIT_UNKNOWN
    return ExitRecord(exit_code=code, finished=finished)


def health_states(directory: str, ids: Iterable[str]) -> dict[str, str]:
    """Return the health of the containers that have a check: starting, healthy, unhealthy.

    With a readiness check it is `healthy, unready`, `ready` … `directory`: where the monitors write results.
    """
    try:
        known = {*os.listdir(directory)}
    except FileNotFoundError:
        return {}
    wanted = {*ids}
    states = {identifier: health_state(directory, identifier) for identifier in known & wanted}
    for name in known:
        identifier = name.removesuffix(READINESS)
        if identifier != name and identifier in wanted:
            both = (states.get(identifier, ""), health_state(directory, name))
            states[identifier] = ", ".join(filter(None, both))
    return states


def health_state(directory: str, container_id: str) -> str:
    """Return a container's health; an empty text if it is unknown."""
    # The results begin with the status; podpy.libpod.containers.health reads the rest.
    beginning = files.read_small(f"{directory}/{container_id}", 64)
    return beginning.removeprefix('{"Status":"').partition('"')[0]


def read_pidfile(path: str) -> int:
    """Return the pid in a file, or 0 if there is none (yet). Raises OSError for any error but a missing file."""
    try:
        text = files.read(path).strip()
    except FileNotFoundError:
        return 0
    return int(text) if text.isdigit() else 0


def is_monitor_of(pid: int, container_id: str) -> bool:
    """Return whether a process is the monitor of this container: its command line has the id (conmon's `-c`)."""
    return bool(pid) and container_id in files.read_small(f"/proc/{pid}/cmdline").split("\0")


def monitors(runroot: str) -> Iterator[tuple[str, int]]:
    """Yield (id, monitor's pid) for each container in a run directory whose monitor is alive."""
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
