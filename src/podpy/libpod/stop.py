"""Signals to a container, and stopping it."""

from __future__ import annotations

import os

from podpy import pids
from podpy.errors import StateError
from podpy.libpod.state import ALIVE, PAUSED, STOPPING, ContainerRow

TYPE_CHECKING = False
if TYPE_CHECKING:
    import signal
    from podpy.libpod.container import Container
else:
    import _signal as signal  # the C half: `signal` itself imports `enum`


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
            _send(container, row, signal.SIGKILL)
            wait_for_end(container.runtime, row)
    cleanup(container)


def _send(container: Container, row: ContainerRow, number: int) -> None:
    # A pidfd and not the pid: between our look and the signal the process may end and its number be given to another.
    descriptor = pids.open_pidfd(row.pid, row.pid_start)
    if descriptor < 0:
        return
    try:
        signal.pidfd_send_signal(descriptor, number)
        if number == signal.SIGKILL and container.spec.pid != "private":
            _kill_the_rest(container)
    except ProcessLookupError:
        pass
    finally:
        os.close(descriptor)


def _kill_the_rest(container: Container) -> None:
    # Without a pid namespace of its own the first process takes nobody with it; the runtime knows the cgroup.
    from podpy.errors import PodpyError

    try:
        container.runtime.oci_runtime.kill(container.id, signal.SIGKILL, all=True)
    except PodpyError:
        pass  # no cgroup to look in: the processes that are left are the host's to see
