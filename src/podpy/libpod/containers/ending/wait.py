"""Waits for a container's end, from any process, without polling: by pidfds of the container and its conmon."""

from __future__ import annotations

import os
import select
from time import monotonic, sleep

from podpy import pids
from podpy.errors import NoSuchContainerError
from podpy.libpod.containers.ending.settle import ended, settle
from podpy.libpod.containers.table import ALIVE, CREATED, INITIALIZED, RESTARTING, STARTING, ContainerRow
from podpy.monitor.files import EXIT_UNKNOWN, read_exit_record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.libpod.containers.held import Held
    from podpy.libpod.engine import Engine

_HEALTH = frozenset(("healthy", "unhealthy"))
_RECORD_TICK = 0.002  # seconds between two checks for an exit record that is about to appear


def wait_for_end(engine: Engine, row: ContainerRow, timeout: float | None = None) -> int:
    """Wait for the end of a container and return its exit code; one that never ran has 0.

    `timeout` is in seconds. Raises TimeoutError.
    """
    deadline = None if timeout is None else monotonic() + timeout
    while True:
        row = settle(engine, row)
        if row.status == STARTING:
            wait_for_starter(engine, row.id)
        elif row.status not in ALIVE:
            return row.exit_code
        else:
            _wait_for_process(row.pid, row.pid_start, deadline)
            code = _wait_for_record(engine, row, deadline)
            if code is not None:
                return code
        try:
            row = engine.table.get(row.id)
        except NoSuchContainerError:
            record = read_exit_record(engine.exit_directory, row.id)
            return record.exit_code if record else EXIT_UNKNOWN


def wait_for_end_of(container: Held, row: ContainerRow, timeout: float | None = None) -> int:
    """Do `wait_for_end` for this row, and refresh the container's own row afterwards."""
    code = wait_for_end(container.engine, row, timeout)
    container.look_again()
    return code


def wait_for_starter(engine: Engine, container_id: str) -> None:
    """Wait until no call is starting the container. If that call was killed, the monitor may still be starting it."""
    try:
        with engine.locked(container_id) as row:  # the starting call holds the lock until the container runs
            is_starting = row.status == STARTING
    except NoSuchContainerError:
        return
    if is_starting:
        sleep(_RECORD_TICK)


def _wait_for_process(pid: int, started: int, deadline: float | None) -> bool:
    """Wait until exactly this process has ended. Raises TimeoutError at the deadline (monotonic seconds)."""
    descriptor = pids.open_pidfd(pid, started)
    if descriptor < 0:
        return True
    try:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        if not poll.poll(_milliseconds(deadline)):
            raise TimeoutError
    finally:
        os.close(descriptor)
    return True


def _wait_for_record(engine: Engine, row: ContainerRow, deadline: float | None) -> int | None:
    """Wait for conmon's exit record and return its code; None if the container was restarted or removed meanwhile."""
    descriptor = pids.open_pidfd(row.conmon_pid, row.conmon_start)
    poll = select.poll()
    if descriptor >= 0:
        poll.register(descriptor, select.POLLIN)
    try:
        while True:
            record = read_exit_record(engine.exit_directory, row.id)
            if record is not None:
                return record.exit_code
            # conmon drains the output, syncs and renames: one or two milliseconds. conmon's end wakes us at once.
            if descriptor < 0 or poll.poll(_RECORD_TICK * 1000):
                record = read_exit_record(engine.exit_directory, row.id)
                return record.exit_code if record else _unknown(engine, row)
            if deadline is not None and monotonic() > deadline:
                raise TimeoutError
    finally:
        if descriptor >= 0:
            os.close(descriptor)


def _unknown(engine: Engine, row: ContainerRow) -> int | None:
    now = engine.table.state_of(row.id)
    if now is None:
        return None
    status, pid, exit_code = now
    if status in ALIVE:
        return int(ended(engine, row)["exit_code"]) if pid == row.pid else None
    return exit_code


def _milliseconds(deadline: float | None) -> float | None:
    return None if deadline is None else max(0.0, deadline - monotonic()) * 1000


def wait_for_status(container: Held, conditions: list[str], interval: float = 0.05) -> int:
    """Wait until a container is in one of these states (as `podman wait --condition` names them).

    Returns its exit code if it has ended, else -1. States that only the row shows are polled every `interval` seconds:
    nobody sends an event for them.
    """
    if not _HEALTH.isdisjoint(conditions):
        _check_health(container, conditions)
    wanted = {"exited" if state == "stopped" else state for state in conditions}
    if "configured" in wanted:
        wanted.add("created")
    while True:
        row = container.refresh()
        if row.status in wanted:
            return row.exit_code if row.status == "exited" else -1
        if not wanted.isdisjoint(_HEALTH) and _has_health(container, wanted):
            return -1
        if wanted == {"exited"}:
            return wait_for_end_of(container, row)
        sleep(interval)


def _check_health(container: Held, conditions: list[str]) -> None:
    health = container.spec.health
    if health is None or not health.is_checked:
        from podpy.errors import UsageError

        wanted = next(state for state in conditions if state in _HEALTH)
        raise UsageError(f'cannot use condition "{wanted}": container {container.id} has no healthcheck')


def _has_health(container: Held, wanted: set[str]) -> bool:
    """Return whether the container's health is one of these. Raises StateError if the container is stopped."""
    from podpy.monitor.files import health_state

    ended = container.row.status not in (*ALIVE, STARTING, CREATED, INITIALIZED, RESTARTING)
    if health_state(container.engine.health_directory, container.id) in wanted:
        return True
    if ended:
        from podpy.errors import StateError

        raise StateError("container is stopped")
    return False
