"""Waits for a container's end, from any process, without polling: by pidfds of the container and its conmon."""

from __future__ import annotations

import os
from time import monotonic, sleep

from podpy import pids
from podpy.errors import NoSuchContainerError
from podpy.libpod.containers.ending.settle import ended, settle
from podpy.libpod.containers.table import ALIVE, CREATED, INITIALIZED, RESTARTING, STARTING, ContainerRow
from podpy.monitor.files import EXIT_UNKNOWN, read_exit_record
from podpy.polling import wait_readable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeVar

    from podpy.libpod.containers.held import Held
    from podpy.libpod.engine import Engine

    T = TypeVar("T", bound=Held)

_HEALTH = frozenset(("healthy", "unhealthy"))
_STATE_TICK = 0.05  # seconds between two looks at a row
_RECORD_TICK = 0.002  # seconds between two looks for an exit record that is due any moment


def wait_for_end(engine: Engine, row: ContainerRow, timeout: float | None = None, output: int = -1) -> int:
    """Return the exit code of a container when it has ended; a container that never ran has ended with 0.

    `timeout` is in seconds. Raises TimeoutError; BrokenPipeError when nobody reads any more from the descriptor
    `output`.
    """
    deadline = None if timeout is None else monotonic() + timeout
    while True:
        row = settle(engine, row)
        if row.status == STARTING:
            wait_for_starter(engine, row.id)
        elif row.status not in ALIVE:
            return row.exit_code
        else:
            _wait_for_process(row.pid, row.pid_start, deadline, output)
            code = _wait_for_record(engine, row, deadline)
            if code is not None:
                return code
        try:
            row = engine.table.get(row.id)
        except NoSuchContainerError:
            record = read_exit_record(engine.exit_directory, row.id)
            return record.exit_code if record else EXIT_UNKNOWN


def wait_for_end_of(container: Held, row: ContainerRow, timeout: float | None = None, output: int = -1) -> int:
    """Do `wait_for_end` for this row, and refresh the container's own row afterwards."""
    code = wait_for_end(container.engine, row, timeout, output)
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


def is_written(container: Held) -> bool:
    """Return whether the container has a monitor that may still write into its log."""
    try:
        while container.refresh().status == STARTING:
            wait_for_starter(container.engine, container.id)
    except NoSuchContainerError:
        return False
    row = container.row
    return row.status in (*ALIVE, INITIALIZED) and pids.is_alive(row.conmon_pid, row.conmon_start)


def _wait_for_process(pid: int, started: int, deadline: float | None, output: int = -1) -> None:
    """Wait until exactly this process has ended.

    Raises TimeoutError at the deadline (monotonic seconds), BrokenPipeError when nobody reads from `output`.
    """
    descriptor = pids.open_pidfd(pid, started)
    if descriptor < 0:
        return
    try:
        _wait_readable([descriptor], output, deadline)
    finally:
        os.close(descriptor)


def _wait_readable(descriptors: list[int], output: int, deadline: float | None) -> None:
    if not wait_readable(descriptors, deadline and deadline - monotonic(), output=output):
        raise TimeoutError


def wait_for_first(containers: Sequence[T], look: Callable[[T], int], *, by_row: bool, output: int = -1) -> int:
    """Return what `look` returns for the first container for which it raises no TimeoutError: that one is there.

    `by_row`: not only the end of a process counts. Raises BrokenPipeError when nobody reads any more from `output`.
    """
    while True:
        for container in containers:
            try:
                return look(container)
            except TimeoutError:
                continue
        watched = [pids.open_pidfd(each.row.pid, each.row.pid_start) for each in containers]
        try:
            tick = _STATE_TICK if by_row or min(watched) < 0 else None  # of a change of a row nobody tells
            _wait_readable(watched, output, tick and monotonic() + tick)
        except TimeoutError:
            continue
        finally:
            for descriptor in watched:
                if descriptor >= 0:
                    os.close(descriptor)


def _wait_for_record(engine: Engine, row: ContainerRow, deadline: float | None) -> int | None:
    """Wait for conmon's exit record and return its code; None if the container was restarted or removed meanwhile."""
    descriptor = pids.open_pidfd(row.conmon_pid, row.conmon_start)
    try:
        while True:
            record = read_exit_record(engine.exit_directory, row.id)
            if record is not None:
                return record.exit_code
            # conmon drains the output, syncs and renames: one or two milliseconds. conmon's end wakes us at once.
            if descriptor < 0 or wait_readable([descriptor], _RECORD_TICK):
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


def wait_for_status(
    container: Held, conditions: list[str], timeout: float | None = None, output: int = -1, tick: float = _STATE_TICK
) -> int:
    """Wait until a container is in one of these states (as `podman wait --condition` names them).

    Returns its exit code if it has ended, else -1. States that a row alone tells are looked up again every `tick`
    seconds: there is nobody to send an event. Raises TimeoutError after `timeout` seconds, BrokenPipeError when nobody
    reads any more from `output`.
    """
    deadline = None if timeout is None else monotonic() + timeout
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
            return wait_for_end_of(container, row, timeout, output)
        if deadline is not None and monotonic() >= deadline:
            raise TimeoutError
        try:
            _wait_readable([], output, monotonic() + tick)
        except TimeoutError:
            continue


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
