"""Signals to a container, and stopping it.

Several are stopped together: all get their signal, then one poll(2) of pidfds waits for all, so ten that ignore it take
as long as one. Threads would need SQLite connections and warnings of their own.
"""

from __future__ import annotations

import os
import select
from time import monotonic

from podpy import pids
from podpy.errors import NoSuchContainerError, PodpyError, StateError
from podpy.libpod.containers.ending.finish import finish
from podpy.libpod.containers.ending.wait import wait_for_end
from podpy.libpod.containers.table import (
    ALIVE,
    EXITED,
    NO_PROCESS,
    NO_RESTART,
    PAUSED,
    RESTARTING,
    STARTING,
    STOPPED_BY_SERVICE,
    STOPPED_BY_USER,
    STOPPED_FOR_RESTART,
    STOPPING,
    ContainerRow,
)
from podpy.monitor.waiter import Waiter
from podpy.storage import crash_point

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from podpy.libpod.containers.held import Held

_SIGKILL = 9
_EXTENSION = 2  # seconds that the monitor gives after a hook that has used the time up (the kubelet's)
_START_SECONDS = 10.0  # how long an orphaned monitor may take to start its container
_TICK = 0.01
_LOOK_SECONDS = 1.0  # between two looks at a monitor that writes no exit record
_MOST_AT_ONCE = 256  # each needs two descriptors, and a process may have 1024 (RLIMIT_NOFILE)
_NEVER = float("inf")


def kill(container: Held, number: int) -> None:
    """Send a signal to the container's first process. Raises StateError if the container isn't running."""
    for error in kill_together([container], number).values():
        raise error


def kill_together(containers: Iterable[Held], number: int) -> dict[str, PodpyError]:
    """Send a signal to containers, each once; return the errors by id. SIGKILL is waited for when all have it.

    So the next command finds them ended, as after Podman's.
    """
    chosen = list({each.id: each for each in containers}.values())
    errors: dict[str, PodpyError] = {}
    for first in range(0, len(chosen), _MOST_AT_ONCE):
        _kill_batch(chosen[first : first + _MOST_AT_ONCE], number, errors)
    return errors


def _kill_batch(batch: list[Held], number: int, errors: dict[str, PodpyError]) -> None:
    ending: list[tuple[Held, ContainerRow, Waiter]] = []
    try:
        for container in batch:
            try:
                row = _begin_to_kill(container)
                if number == _SIGKILL and row.status != PAUSED:
                    ending.append((container, row, Waiter(container.engine.run_directory(row.id))))
                _send(container, row, number)
            except PodpyError as error:
                errors[container.id] = error
        crash_point("end:signalled")
        for container, row, waiter in ending:
            if container.id in errors:
                continue
            try:
                _finish(container, row, waiter)
                container.look_again()
            except PodpyError as error:
                errors[container.id] = error
    finally:
        for _container, _row, waiter in ending:
            waiter.close()


def _begin_to_kill(container: Held) -> ContainerRow:
    with container.locked() as row:
        if row.status not in ALIVE:
            raise StateError.improper(f"can only kill running containers. {container.id} is in state {row.status}")
        # No restart then: podman-run(1), --restart
        container.engine.table.note(row.id, "kill", stopped_by_user=STOPPED_BY_USER)
        if container.spec.restart_policy not in NO_RESTART:
            from podpy.monitor.health import tell_killed

            tell_killed(container.engine.run_directory(row.id))
        return row


def stop(container: Held, timeout: int | None, *, thaw: bool = False, quiet: bool = False) -> None:
    """See Container.stop and `stop_together`. Raises StateError."""
    for error in stop_together([container], timeout, thaw=thaw, quiet=quiet).values():
        raise error


def stop_and_tell(
    containers: Iterable[Held], timeout: int | None, *, as_service: bool = False, signal: int = 0
) -> dict[str, PodpyError]:
    """Stop containers as `stop_together`; also return an error for each whose monitor was killed (no exit code)."""
    chosen = list(containers)
    unseen = [each.id for each in chosen if _has_lost_its_monitor(each.row)]
    errors = stop_together(chosen, timeout, event="stop", as_service=as_service, signal=signal)
    for one in unseen:
        text = f"container {one} was stopped, but its monitor (conmon) had been killed: its exit code is unknown"
        errors.setdefault(one, StateError(text))
    return errors


def stop_together(
    containers: Iterable[Held],
    timeout: int | None,
    *,
    thaw: bool = False,
    quiet: bool = False,
    then: Callable[[Held], object] | None = None,
    event: str = "",
    as_service: bool = False,
    signal: int = 0,
) -> dict[str, PodpyError]:
    """Stop containers, each once: signal all, then wait for all; return the errors by id.

    One that isn't running is only cleaned up, and its policy doesn't restart it. `timeout`: seconds from the signal to
    SIGKILL (None: the container's own; negative: never). `thaw`: unpause a paused one first; otherwise that is a
    StateError. `quiet`: don't warn if the signal doesn't stop it. `then` starts each again as soon as it has ended, so
    a `--rm` one isn't removed. `event`: the event to write, unless this stop is part of another action.
    `as_service`: not the user stops it (STOPPED_BY_SERVICE). `signal`: instead of the container's own.
    """
    mark = STOPPED_FOR_RESTART if then is not None else STOPPED_BY_SERVICE if as_service else STOPPED_BY_USER

    def begin(container: Held) -> _Stopping:
        row = _begin_to_stop(container, event, thaw=thaw, mark=mark)
        patience = container.spec.stop_timeout if timeout is None else timeout
        return _Stopping(container, row, patience, quiet=quiet, then=then, signal=signal)

    chosen = list({each.id: each for each in containers}.values())
    errors: dict[str, PodpyError] = {}
    for first in range(0, len(chosen), _MOST_AT_ONCE):
        _stop_batch(chosen[first : first + _MOST_AT_ONCE], begin, errors)
    return errors


def _stop_batch(batch: list[Held], begin: Callable[[Held], _Stopping], errors: dict[str, PodpyError]) -> None:
    waiting: dict[int, _Stopping] = {}
    begun: list[_Stopping] = []
    ended: list[_Stopping] = []
    try:
        for container in batch:
            try:
                each = begin(container)
                begun.append(each)
                descriptor = each.signal()
                if descriptor >= 0:
                    waiting[descriptor] = each
                else:
                    ended.append(each)
            except PodpyError as error:
                if not (isinstance(error, NoSuchContainerError) and container.spec.remove):
                    errors[container.id] = error  # else it was a --rm container, and its end has removed it
        # Only now: to finish one takes long, and the others must have got their signals even if this call is killed.
        crash_point("end:signalled")
        for each in ended:
            _finish_one(each, errors)
        _wait_for_all(waiting, errors)
    finally:
        for descriptor in waiting:
            os.close(descriptor)
        for each in begun:
            each.close()


def _finish_one(each: _Stopping, errors: dict[str, PodpyError]) -> None:
    try:
        each.finish()
    except PodpyError as error:
        errors[each.container.id] = error


def _wait_for_all(waiting: dict[int, _Stopping], errors: dict[str, PodpyError]) -> None:
    """Finish each container as soon as it has ended, and kill each whose timeout is over."""
    poll = select.poll()
    for descriptor in waiting:
        poll.register(descriptor, select.POLLIN)
    while waiting:
        first = min(each.deadline for each in waiting.values())
        for descriptor, _event in poll.poll(None if first == _NEVER else max(0.0, first - monotonic()) * 1000):
            poll.unregister(descriptor)
            each = waiting.pop(descriptor)
            os.close(descriptor)
            _finish_one(each, errors)
        for each in waiting.values():
            if each.deadline <= monotonic():
                each.kill()


class _Stopping:
    """A container that is being stopped. `deadline`: when to kill it (monotonic seconds)."""

    def __init__(
        self,
        container: Held,
        row: ContainerRow,
        patience: int,
        *,
        quiet: bool,
        then: Callable[[Held], object] | None,
        signal: int,
    ) -> None:
        self.container = container
        self._signal = signal or container.spec.stop_signal
        self._own_signal = not signal
        self.deadline = _NEVER
        self._row = row
        self._patience = patience
        self._quiet = quiet
        self._then = then
        self._waiter: Waiter | None = None

    def signal(self) -> int:
        """Send the stop signal and return a pidfd of the first process, or -1 if it isn't running."""
        row = self._row
        if row.status not in ALIVE:
            return -1
        self._waiter = Waiter(self.container.engine.run_directory(row.id))
        if self._patience >= 0:
            self.deadline = monotonic() + self._patience
        if self._patience and self._own_signal and self._stops_itself():
            self.deadline += _EXTENSION
        elif self._patience:
            _send(self.container, row, self._signal)
        return pids.open_pidfd(row.pid, row.pid_start)

    def _stops_itself(self) -> bool:
        """Let the monitor run the hook preStop and send the signal, if there is one, and a monitor."""
        if not self.container.spec.pre_stop:
            return False
        from podpy.monitor.health import tell_to_stop

        return tell_to_stop(self.container.engine.run_directory(self._row.id), self._patience)

    def kill(self) -> None:
        """Kill the container, with a warning."""
        self.deadline = _NEVER
        if self._patience and not self._quiet:
            _warn(self.container, self._signal, self._patience)
        _send(self.container, self._row, _SIGKILL)

    def finish(self) -> None:
        """Wait for the monitor's exit record, and release what the container held."""
        try:
            _finish(self.container, self._row, self._waiter)
        except NoSuchContainerError:
            if not self.container.spec.remove:  # else its end has removed it
                raise
        finally:
            self.close()
        if self._then is not None:
            self._then(self.container)

    def close(self) -> None:
        """Leave the monitor alone."""
        if self._waiter is not None:
            self._waiter.close()


def _finish(container: Held, row: ContainerRow, waiter: Waiter | None) -> None:
    """Wait for a container's exit record, and release what it held. Its monitor doesn't do that as long as we live."""
    if row.status in ALIVE and not (waiter is not None and waiter.is_told(_LOOK_SECONDS)):
        _wait_for_record(container, row)
    crash_point("end:recorded")
    is_finished = finish(container)
    crash_point("end:finished")
    if is_finished and waiter is not None:
        waiter.acknowledge()


def _wait_for_record(container: Held, row: ContainerRow) -> None:
    """Wait for a killed container's exit record. Raises StateError if its monitor can't write it."""
    while True:
        try:
            wait_for_end(container.engine, row, _LOOK_SECONDS)
        except TimeoutError:
            if pids.is_stopped(row.conmon_pid, row.conmon_start):
                raise StateError(
                    f"container {row.id} has got its signal, but its monitor (process {row.conmon_pid}) is stopped",
                    hint=f"Let it go on: kill -CONT {row.conmon_pid}",
                ) from None
        else:
            return


def _has_lost_its_monitor(row: ContainerRow) -> bool:
    return row.status in ALIVE and not pids.is_alive(row.conmon_pid, row.conmon_start)


def _warn(container: Held, number: int, patience: int) -> None:
    """Warn that the signal didn't stop it. Most often process 1 is a shell without a handler for the signal."""
    from signal import Signals

    from podpy.notice import warn

    name = Signals(number).name if number in {*Signals} else str(number)
    warn(f"StopSignal {name} failed to stop container {container.name} in {patience} seconds, resorting to SIGKILL")


def _begin_to_stop(container: Held, event: str, *, thaw: bool, mark: int) -> ContainerRow:
    """Note in the row who stops it (`stopped_by_user`), and return the former row.

    If the call that was starting the container was killed, its monitor may still be starting it: wait for that without
    the lock, which the monitor's exit command may need.
    """
    from time import sleep

    patience = monotonic() + _START_SECONDS
    while True:
        with container.locked() as row:
            if row.status != STARTING or monotonic() > patience:
                _note_stop(container, row, event, thaw=thaw, mark=mark)
                return row
        sleep(_TICK)


def _note_stop(container: Held, row: ContainerRow, event: str, *, thaw: bool, mark: int) -> None:
    if row.status == PAUSED:
        if not thaw:
            raise StateError.improper(f"{container.id} is paused, can't stop it")
        container.engine.oci_runtime.resume(row.id)
    if row.status in ALIVE:
        spec = container.spec
        if spec.health is not None or spec.post_start or spec.restart_policy not in NO_RESTART:
            from podpy.monitor.health import tell_stopping

            tell_stopping(container.engine.run_directory(row.id))
        events = (event,) if event else ()
        container.engine.table.note(row.id, *events, status=STOPPING, stopped_by_user=mark)
    elif row.status == RESTARTING:
        # Under the lock: if its exit command has begun, it will see this change.
        pids.send_signal(row.conmon_pid, row.conmon_start, _SIGKILL)
        container.engine.table.note(row.id, status=EXITED, **NO_PROCESS, stopped_by_user=mark)
    elif row.status == EXITED and container.spec.restart_policy not in NO_RESTART:
        # conmon's exit command may be waiting for this lock, to start the container again.
        by_service = mark == STOPPED_BY_SERVICE and row.stopped_by_user != STOPPED_BY_USER
        container.engine.table.note(row.id, stopped_by_user=mark if by_service else STOPPED_BY_USER)


def _send(container: Held, row: ContainerRow, number: int) -> None:
    if pids.send_signal(row.pid, row.pid_start, number) and number == _SIGKILL and container.spec.pid != "private":
        _kill_the_rest(container)


def _kill_the_rest(container: Held) -> None:
    # Without its own pid namespace, other processes outlive the first one; the runtime finds them by the cgroup.
    try:
        container.engine.oci_runtime.kill(container.id, _SIGKILL, all=True)
    except PodpyError:
        pass  # no cgroup, so the other processes can't be found
