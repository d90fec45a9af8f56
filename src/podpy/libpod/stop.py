"""Signals to a container, and stopping it."""

from __future__ import annotations

from podpy import pids
from podpy.errors import StateError
from podpy.libpod.state import ALIVE, PAUSED, STOPPING, ContainerRow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.libpod.container import Container

_SIGKILL = 9


def kill(container: Container, number: int) -> None:
    """Send a signal to the container's first process. Raises StateError if the container isn't running."""
    row = container.refresh()
    if row.status not in ALIVE:
        raise StateError(
            f"can only kill running containers. {container.id} is in state {row.status}: container state improper"
        )
    _send(container, row, number)


def stop(container: Container, timeout: int | None) -> None:
    """See Container.stop. A container that isn't running is only cleaned up."""
    from podpy.libpod.cleanup import cleanup
    from podpy.libpod.wait import wait_for_end

    with container.lock:
        row = container.refresh(locked=True)
        if row.status == PAUSED:
            raise StateError(f"{container.id} is paused, can't stop it: container state improper")
        if row.status in ALIVE:
            container.runtime.table.update(row.id, status=STOPPING, stopped_by_user=1)
    if row.status in ALIVE:
        patience = container.spec.stop_timeout if timeout is None else timeout
        if patience < 0:
            patience = 2**31
        if patience > 0:
            _send(container, row, container.spec.stop_signal)
        try:
            wait_for_end(container.runtime, row, patience)
        except TimeoutError:
            _send(container, row, _SIGKILL)
            wait_for_end(container.runtime, row)
    cleanup(container)


def _send(container: Container, row: ContainerRow, number: int) -> None:
    if pids.send_signal(row.pid, row.pid_start, number) and number == _SIGKILL and container.spec.pid != "private":
        _kill_the_rest(container)


def _kill_the_rest(container: Container) -> None:
    # Without a pid namespace of its own the first process takes nobody with it; the runtime knows the cgroup.
    from podpy.errors import PodpyError

    try:
        container.runtime.oci_runtime.kill(container.id, _SIGKILL, all=True)
    except PodpyError:
        pass  # no cgroup to look in: the processes that are left are the host's to see
