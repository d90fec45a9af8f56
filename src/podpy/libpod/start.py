"""Start a container: commit `starting`, run the plan, commit `running`; or undo."""

from __future__ import annotations

import os
from time import time_ns

from podpy import pids
from podpy.errors import PodpyError, StateError
from podpy.libpod.cleanup import release
from podpy.libpod.launch import Launch
from podpy.libpod.state import ALIVE, CREATED, EXITED, INITIALIZED, RUNNING, STARTING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.libpod.container import Container


def start(container: Container, *, attach_fd: int = -1, waiter_fd: int = -1) -> None:
    """Start a container; this process must be in the user's namespaces.

    `attach_fd` is a connected SOCK_SEQPACKET and `waiter_fd` a stream socket that conmon inherits (see
    libpod.foreground). A lock that `create_starting` took is given back. Raises StateError, RuntimeFailedError,
    OperationError; the container is then as it was before.
    """
    was_held = container.lock.held
    try:
        with container.lock:
            if not was_held:
                row = container.refresh(locked=True)
                _check_startable(container, row.status)
                if row.status == INITIALIZED:
                    _start_initialized(container)
                    return
            start_locked(container, attach_fd=attach_fd, waiter_fd=waiter_fd, committed=was_held)
    finally:
        if was_held:
            container.lock.release()


def start_locked(
    container: Container, *, attach_fd: int = -1, waiter_fd: int = -1, committed: bool = False, run: bool = True
) -> None:
    """Start a container whose lock the caller holds. `committed`: its row says `starting` already.

    With run=False the container is only made ready (`podpy init`).
    """
    runtime = container.runtime
    before = container.row
    if not committed:
        # A container that was killed on its way down may have left something in its run directory.
        release(runtime, before)
        runtime.table.update(before.id, status=STARTING, boot_id=runtime.paths.boot_id, stopped_by_user=0)
    launch = Launch(container, attach_fd=attach_fd, waiter_fd=waiter_fd, run=run)
    try:
        launch.plan().run(runtime.trace)
    except BaseException as error:
        _undo(container, launch, error)
        raise
    changes = {
        "status": RUNNING if run else INITIALIZED,
        "pid": launch.pid,
        "pid_start": launch.pid_start,
        "conmon_pid": launch.conmon_pid,
        "conmon_start": pids.start_time(launch.conmon_pid),
        "started": time_ns(),
        "boot_id": runtime.paths.boot_id,
        "error": "",
    }
    if launch.ports is not None:
        changes["ports"] = launch.ports
    runtime.table.update(before.id, **changes)
    container.row = before.replace(**changes)
    runtime.mark("the container's start is committed")


def initialize(container: Container) -> None:
    """Make a container ready so that its start is only one call of the runtime (`podpy init`). Raises as start."""
    with container.lock:
        row = container.refresh(locked=True)
        _check_startable(container, row.status)
        if row.status == INITIALIZED:
            raise StateError(f"container {row.id} has already been initialized: container state improper")
        start_locked(container, run=False)


def _start_initialized(container: Container) -> None:
    container.runtime.oci_runtime.start(container.id)
    container.runtime.table.update(container.id, status=RUNNING, started=time_ns())
    container.refresh(locked=True)


def _check_startable(container: Container, status: str) -> None:
    if status in ALIVE:
        raise StateError(f"container {container.name} is already {status}: container state improper")
    if status not in (CREATED, EXITED, INITIALIZED):
        raise StateError(f"container {container.name} is {status}, can't start it: container state improper")


def _undo(container: Container, launch: Launch, error: BaseException) -> None:
    """Bring a container whose start failed back to what it was; the error's code is its exit code, as Podman's."""
    runtime = container.runtime
    launch.abandon()
    row = container.row
    release(runtime, row)
    code = error.exit_code if isinstance(error, PodpyError) else 0
    status = EXITED if row.started else CREATED
    runtime.table.update(row.id, status=status, exit_code=code, error=str(error), pid=0, conmon_pid=0)


def discard_failed_start(container: Container) -> None:
    """Remove a `--rm` container whose start failed."""
    from podpy.libpod.remove import remove_locked

    with container.lock:
        row = container.refresh(locked=True)
        if row.status in (CREATED, EXITED):
            remove_locked(container, row, volumes=True)


def exit_command(container: Container) -> list[str]:
    """Return the command that conmon runs after the container's end: `podpy … container cleanup ID`."""
    import sys

    starter = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "_start.py")
    places = [f"-Xpodpy_site={place}" for name, place in sys._xoptions.items() if name == "podpy_site"]
    program = [sys.executable, "-I", "-S", *places, starter]
    command = [*program, *container.runtime.engine.arguments, "container", "cleanup"]
    return [*command, "--rm", container.id] if container.spec.remove else [*command, container.id]
