"""Restarts: by the user, and by policy after a container's end (from conmon's exit command).

The policies are podman-run(1)'s: `on-failure[:N]` for codes other than 0, `always`, and `unless-stopped`, which is the
same as `always` until a reboot. A container that the user stopped isn't restarted. podpy's own conmon waits before the
exit command: 100 ms, and twice as long each time that the container ends within ten seconds, up to a minute. With
`restart_backoff="kubernetes"` the second wait is 10 seconds, the longest five minutes, and ten minutes of running begin
anew. If the start then fails, the monitor waits again, twice as long, and calls again, as long as the policy allows it.
"""

from __future__ import annotations

import os

from podpy import pids
from podpy.errors import NoSuchContainerError, PodpyError
from podpy.libpod.containers.ending.cleanup import clean_up
from podpy.libpod.containers.ending.finish import for_restart, remove_locked
from podpy.libpod.containers.starting.start import commit_starting, discard_failed_start, start, start_locked
from podpy.libpod.containers.table import ALIVE, EXITED, NO_PROCESS, RESTARTING, STARTING, ContainerRow
from podpy.monitor.files import read_exit_record, read_restart_note

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from podpy.libpod.containers.held import Held
    from podpy.libpod.engine import Engine
    from podpy.monitor.files import RestartNote
    from podpy.spec.container import ContainerSpec

_FIRST_DELAY = 100  # milliseconds; conmon's own, too (restart.c), as the limits of the following ones
_LIMITS = {"": (_FIRST_DELAY, 60_000), "kubernetes": (10_000, 300_000)}


def after_end(container: Held, *, remove: bool, only_ended: bool = False) -> bool:
    """Clean up an ended container; restart it by its policy, or remove it if `remove`.

    `only_ended`: do nothing to one that was never started. Return True if that start failed, and the monitor, whose
    exit command this is, must wait and call again.
    """
    try:
        with container.locked() as row:
            if row.status in (*ALIVE, STARTING) or _waits_for_another(row):
                return False
            if only_ended and row.status not in (EXITED, RESTARTING):
                return False
            engine = container.engine
            note = read_restart_note(engine.run_directory(row.id))
            # The monitor of a start that failed comes here, too, and there is no end to start again after.
            has_ended = note is not None or read_exit_record(engine.exit_directory, row.id) is not None
            wants = row.status in (EXITED, RESTARTING) and has_ended and must_restart(container.spec, row, note)
            if wants and _needed_ones_run(engine, container.spec) and not _is_over(engine, container.spec, row):
                return _start_again(container, row, note)
            if row.status == RESTARTING:
                container.engine.table.note(row.id, status=EXITED, **NO_PROCESS)
            if (remove or container.spec.remove) and not for_restart(row):
                remove_locked(container, row, volumes=True)
            else:
                clean_up(container.engine, row)
    except NoSuchContainerError:
        return False
    if row.pod:
        from podpy.libpod.pods.last_end import stop_if_last

        stop_if_last(container.engine, row.pod)
    return False


def _needed_ones_run(engine: Engine, spec: ContainerSpec) -> bool:
    """Return whether all run that this container needs (the pod's infra container, --requires). As in Podman it isn't
    started again else: each try would fail until somebody starts those.
    """
    states = [engine.table.state_of(each) for each in spec.requires]
    return all(state is not None and state[0] in ALIVE for state in states)


def _is_over(engine: Engine, spec: ContainerSpec, row: ContainerRow) -> bool:
    """Return whether the deadline of the container's pod is over."""
    if not spec.deadline:
        return False
    from podpy.libpod.containers.starting.health import left_until_deadline

    return left_until_deadline(engine, spec, row.pod) <= 0


def _waits_for_another(row: ContainerRow) -> bool:
    """Return whether the container's own monitor waits to start it, and this isn't that monitor's exit command."""
    is_its = row.conmon_pid == os.getppid()
    return row.status == RESTARTING and not is_its and pids.is_alive(row.conmon_pid, row.conmon_start)


def _start_again(container: Held, row: ContainerRow, note: RestartNote | None) -> bool:
    """Start a container by its policy; return True if that failed and is to be tried again. Raises as start."""
    again: dict[str, Any] = {}
    tried = row.replace(restarts=row.restarts + 1, exit_code=PodpyError.exit_code)
    if row.status == RESTARTING and row.conmon_pid == os.getppid() and must_restart(container.spec, tried, note):
        again = {"status": RESTARTING, "conmon_pid": row.conmon_pid, "conmon_start": row.conmon_start}
    commit_starting(container, "restart", restarts=tried.restarts)
    try:
        start_locked(container, restart_delay=next_delay(note, container.spec.restart_backoff), after_failure=again)
    except (PodpyError, OSError):
        if not again:
            raise
        # For what the monitor notes there; whatever else was in it went with the start.
        os.makedirs(container.engine.run_directory(row.id), mode=0o700, exist_ok=True)
        return True
    return False


def restart_together(containers: Sequence[Held], timeout: int | None, *, signal: int = 0) -> dict[str, PodpyError]:
    """Stop the running ones of the containers together, then start each; return the errors by id.

    A container that joins the namespaces of others among them is started after those. `signal`: instead of their own.
    """
    errors: dict[str, PodpyError] = {}
    left = {each.id: each for each in containers}
    while left:
        free = [each for each in left.values() if not any(owner in left for _kind, owner in each.spec.joins())]
        free = free or [*left.values()]  # circles are impossible; but if there were one, this must not hang
        for each in free:
            del left[each.id]
        _restart(free, timeout, signal, errors)
    return errors


def _restart(containers: list[Held], timeout: int | None, signal: int, errors: dict[str, PodpyError]) -> None:
    from podpy.libpod.containers.ending.stop import stop_together

    running: list[Held] = []
    others: list[Held] = []
    for each in containers:
        try:
            (running if each.status in ALIVE else others).append(each)
        except PodpyError as error:
            errors[each.id] = error
    errors.update(stop_together(running, timeout, then=_start, signal=signal))
    for each in others:
        try:
            _start(each)
        except PodpyError as error:
            errors[each.id] = error


def _start(container: Held) -> None:
    """Start a container; if that fails, finish it: a `--rm` one is removed."""
    try:
        start(container, restart=True)
    except BaseException:
        if container.spec.remove:
            discard_failed_start(container)
        raise


def must_restart(spec: ContainerSpec, row: ContainerRow, note: RestartNote | None = None) -> bool:
    """Return whether an ended container must be started again: by its policy, or because of its health check.

    `note`: the monitor's decision.
    """
    if row.stopped_by_user or (note is not None and note.why == "stop"):
        return False
    if note is not None and note.why == "health":
        return True
    if spec.restart_policy in ("always", "unless-stopped"):
        return True
    if spec.restart_policy != "on-failure" or row.exit_code == 0:
        return False
    return spec.restart_retries == 0 or row.restarts < spec.restart_retries


def next_delay(note: RestartNote | None, backoff: str = "") -> int:
    """Return how many milliseconds the next start's monitor waits if the container ends soon.

    `backoff`: as in ContainerSpec.
    """
    least, longest = _LIMITS.get(backoff, _LIMITS[""])
    return _FIRST_DELAY if note is None else max(least, min(2 * note.delay, longest))
