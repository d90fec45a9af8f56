"""Signals to a container, and stopping it."""

from __future__ import annotations

from podpy import pids
from podpy.errors import NoSuchContainerError, StateError
from podpy.libpod.containers.ending.finish import finish
from podpy.libpod.containers.ending.wait import wait_for_end
from podpy.libpod.containers.table import (
    ALIVE,
    EXITED,
    NO_RESTART,
    PAUSED,
    STARTING,
    STOPPED_FOR_RESTART,
    STOPPING,
    ContainerRow,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.libpod.containers.held import Held

_SIGKILL = 9
_START_SECONDS = 10.0  # that an orphaned monitor may take to start its container
_TICK = 0.01


def kill(container: Held, number: int) -> None:
    """Send a signal to the container's first process. Raises StateError if the container isn't running."""
    with container.locked() as row:
        if row.status not in ALIVE:
            raise StateError.improper(f"can only kill running containers. {container.id} is in state {row.status}")
        container.engine.table.note(row.id, stopped_by_user=1)  # no restart then: podman-run(1), --restart
    _send(container, row, number)
    if number == _SIGKILL and row.status != PAUSED:  # as Podman does: the next command finds it ended
        wait_for_end(container.engine, row)
        if container.spec.remove:
            finish(container)


def stop(
    container: Held, timeout: int | None, *, thaw: bool = False, quiet: bool = False, restart: bool = False
) -> None:
    """See Container.stop. A container that isn't running is only cleaned up, and isn't restarted by its policy.

    `thaw`: a paused one is unpaused first; otherwise that is a StateError. `quiet`: without the warning that its signal
    has not stopped it. `restart`: it is started again in a moment, so one with `--rm` isn't removed.
    """
    try:
        row = _begin_to_stop(container, thaw=thaw, restart=restart)
    except NoSuchContainerError:
        if not container.spec.remove:
            raise
        return  # it was to go at its end, and has gone
    if row.status in ALIVE:
        _end(container, row, container.spec.stop_timeout if timeout is None else timeout, quiet=quiet)
    finish(container)


def stop_and_tell(container: Held, timeout: int | None) -> None:
    """Stop a container; raise StateError if there was no monitor any more that could tell how it ended."""
    row = container.row
    is_unseen = row.status in ALIVE and not pids.is_alive(row.conmon_pid, row.conmon_start)
    stop(container, timeout)
    if is_unseen:
        raise StateError(
            f"container {container.id} was stopped, but its monitor (conmon) had been killed: its exit code is unknown"
        )


def _end(container: Held, row: ContainerRow, patience: int, *, quiet: bool) -> None:
    if patience < 0:
        patience = 2**31
    if patience > 0:
        _send(container, row, container.spec.stop_signal)
    try:
        wait_for_end(container.engine, row, patience)
    except TimeoutError:
        if patience > 0 and not quiet:
            _warn(container, patience)
        _send(container, row, _SIGKILL)
        wait_for_end(container.engine, row)


def _warn(container: Held, patience: int) -> None:
    """Say why it took so long. Most often process 1 is a shell, which has no handler for the signal."""
    from signal import Signals

    from podpy.notice import warn

    number = container.spec.stop_signal
    name = Signals(number).name if number in {*Signals} else str(number)
    warn(f"StopSignal {name} failed to stop container {container.name} in {patience} seconds, resorting to SIGKILL")


def _begin_to_stop(container: Held, *, thaw: bool, restart: bool) -> ContainerRow:
    """Note that the user stops it, and return the row as it was before.

    If the call that was starting the container was killed, its monitor may still be at it: that is waited for, without
    the lock, which the monitor's exit command may want.
    """
    from time import monotonic, sleep

    patience = monotonic() + _START_SECONDS
    while True:
        with container.locked() as row:
            if row.status != STARTING or monotonic() > patience:
                _note_stop(container, row, thaw=thaw, restart=restart)
                return row
        sleep(_TICK)


def _note_stop(container: Held, row: ContainerRow, *, thaw: bool, restart: bool) -> None:
    if row.status == PAUSED:
        if not thaw:
            raise StateError.improper(f"{container.id} is paused, can't stop it")
        container.engine.oci_runtime.resume(row.id)
    if row.status in ALIVE:
        container.engine.table.note(row.id, status=STOPPING, stopped_by_user=STOPPED_FOR_RESTART if restart else 1)
    elif row.status == EXITED and container.spec.restart_policy not in NO_RESTART:
        # conmon's exit command may be on its way to this lock, to start the container again.
        container.engine.table.note(row.id, stopped_by_user=1)


def _send(container: Held, row: ContainerRow, number: int) -> None:
    if pids.send_signal(row.pid, row.pid_start, number) and number == _SIGKILL and container.spec.pid != "private":
        _kill_the_rest(container)


def _kill_the_rest(container: Held) -> None:
    # Without a pid namespace of its own the first process takes nobody with it; the runtime knows the cgroup.
    from podpy.errors import PodpyError

    try:
        container.engine.oci_runtime.kill(container.id, _SIGKILL, all=True)
    except PodpyError:
        pass  # no cgroup to look in: the processes that are left are the host's to see
