"""Starts a container: commits `starting`, runs the plan, commits `running`; or undoes everything."""

from __future__ import annotations

import os
from time import time_ns

from podpy import fastjson, pids
from podpy.errors import AlreadyError, CommandNotFoundError, NoSuchContainerError, PodpyError, StateError
from podpy.libpod.containers.ending.cleanup import release
from podpy.libpod.containers.starting.launch import Launch
from podpy.libpod.containers.table import (
    ALIVE,
    CREATED,
    EXITED,
    INITIALIZED,
    REMOVING,
    RESTARTING,
    RUNNING,
    STARTING,
    ContainerRow,
)
from podpy.network import netns
from podpy.systemd import notify as sdnotify
from podpy.systemd.unit import is_own_process

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Any, Self

    from podpy.libpod.containers.held import Held
    from podpy.libpod.engine import Engine
    from podpy.spec.container import ContainerSpec

_SIGKILL = 9


def outlive_session(container: Held) -> None:
    """Let the monitor of a detached container outlive the login session, if systemd can do that; not its own unit."""
    if is_own_process(container.engine.caller.environ):
        return
    from podpy.systemd.scope import leave_session_in_background

    leave_session_in_background(container.engine.paths, [container.row.conmon_pid])


def start(
    container: Held,
    *,
    attach_fd: int = -1,
    waiter_fd: int = -1,
    console_size: tuple[int, int] | None = None,
    restart: bool = False,
    with_pod: bool = False,
    outlive: Callable[[Held], object] = outlive_session,
    hook: bool = True,
) -> None:
    """Start a container; this process must be in the user's namespaces.

    `attach_fd` is a connected SOCK_SEQPACKET and `waiter_fd` a stream socket; conmon inherits both (see
    libpod.io.foreground). `console_size`: rows and columns of the caller's terminal. `restart`: it was stopped for a
    restart. `with_pod`: an infra container that is started with its whole pod; otherwise a warning names the containers
    that it left behind. `outlive` gets the container if its monitor must leave the login session. Returns when its hook
    postStart has ended, or with hook=False at once. Raises StateError, RuntimeFailedError, OperationError; then the
    container is as before, unless it was the hook that failed.
    """
    start_required(container.engine, container.spec)
    with container.locked() as row:
        _check_startable(container, row.status)
        if row.status == INITIALIZED:
            _start_initialized(container)
            return
        _end_waiting(row)
        commit_starting(container, *(("restart",) if restart else ()))
        start_locked(container, attach_fd=attach_fd, waiter_fd=waiter_fd, console_size=console_size, outlive=outlive)
    if container.spec.is_infra and not with_pod:
        from podpy.libpod.pods.left_behind import tell

        tell(container)
    if (
        hook and container.spec.post_start and attach_fd < 0
    ):  # whoever is attached sees meanwhile what the container says
        from podpy.libpod.containers.starting.started import wait_for_hook

        wait_for_hook(container)


def start_required(engine: Engine, spec: ContainerSpec) -> None:
    """Start the containers that must run before this one (`--requires`), and those that they require.

    The caller holds no lock, so that no call waits for two. Raises NoSuchContainerError, and as `start`.
    """
    from podpy.libpod.containers.held import find

    for name in spec.requires:
        needed = find(engine, name)
        try:
            if needed.spec.is_infra:
                wait_if_it_goes(needed)
            if needed.status not in ALIVE:
                start(needed)
        except AlreadyError:
            continue  # another call has started it


def wait_if_it_goes(infra: Held) -> None:
    """Wait for the end of an infra container that was told to end just now: nobody can join its namespaces any more."""
    if infra.status in ALIVE and infra.row.stopped_by_user:
        from podpy.libpod.containers.ending.wait import wait_for_end_of

        wait_for_end_of(infra, infra.row)


def initialize(container: Held, *, console_size: tuple[int, int] | None = None) -> None:
    """Prepare a container, so that its start is only one call of the runtime (`podpy init`). Raises as start."""
    with container.locked() as row:
        _check_startable(container, row.status)
        if row.status == INITIALIZED:
            raise AlreadyError.improper(f"container {row.id} has already been created in runtime")
        _end_waiting(row)
        commit_starting(container)
        start_locked(container, console_size=console_size, run=False)


class Starting:
    """A new container that is started at once: its row says `starting`, and its lock is held.

    `run` and `initialize` release the lock. If the block ends without them, the row is set to `created`, and the lock
    is released then.
    """

    def __init__(self, container: Held) -> None:
        self.container = container

    def __enter__(self) -> Self:
        return self

    def run(self, *, attach_fd: int = -1, waiter_fd: int = -1, console_size: tuple[int, int] | None = None) -> None:
        """Start the container; descriptors and errors as `start`."""
        try:
            start_locked(self.container, attach_fd=attach_fd, waiter_fd=waiter_fd, console_size=console_size)
        finally:
            self.container.lock.release()

    def initialize(self, *, console_size: tuple[int, int] | None = None) -> None:
        """Prepare the container, as `podpy init` does."""
        try:
            start_locked(self.container, console_size=console_size, run=False)
        finally:
            self.container.lock.release()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        container = self.container
        if not container.lock.held:
            return
        try:
            container.engine.table.note(container.id, status=CREATED)
        finally:
            container.lock.release()


def commit_starting(container: Held, *events: str, restarts: int = 0) -> None:
    """Set the row to `starting`; the caller holds the container's lock.

    `events`: events to write with the change (podman-events(1)). `restarts`: how often the restart policy has started
    it since the user did. Raises CommandNotFoundError.
    """
    engine, row = container.engine, container.row
    check_command(container.spec)
    # If a cleanup was killed, something may be left in the run directory.
    release(engine, row)
    changes = {"boot_id": engine.paths.boot_id, "stopped_by_user": 0, "restarts": restarts}
    engine.table.update(row.id, *events, status=STARTING, **changes)
    container.row = row.replace(**changes)


def start_locked(
    container: Held,
    *,
    attach_fd: int = -1,
    waiter_fd: int = -1,
    console_size: tuple[int, int] | None = None,
    run: bool = True,
    restart_delay: int = 0,
    after_failure: dict[str, Any] | None = None,
    outlive: Callable[[Held], object] = outlive_session,
) -> None:
    """Start a container whose lock the caller holds, and whose row says `starting`.

    With run=False the container is only prepared (`podpy init`). `restart_delay`: milliseconds that its monitor waits
    before a restart by policy; 0: conmon's default. `after_failure`: columns for the row if the start fails, which
    replace those of `_undo`. `outlive` as for `start`.
    """
    engine = container.engine
    before = container.row
    launch: Launch | None = None
    try:
        launch = Launch(
            container,
            attach_fd=attach_fd,
            waiter_fd=waiter_fd,
            console_size=console_size,
            run=run,
            restart_delay=restart_delay,
        )
        launch.plan().run(engine.trace)
        changes = _columns(launch, RUNNING if run else INITIALIZED)
        engine.table.update(before.id, *_events(attach_fd, run=run), **changes)
    except BaseException as error:
        _undo(container, launch, error, after_failure or {})
        raise
    finally:
        if launch is not None:
            launch.end()
    container.row = before.replace(**changes)
    engine.mark("the container's start is committed")
    if run:
        sdnotify.tell_started(container.spec, launch.conmon_pid, engine.caller.environ)
    if is_own_process(engine.caller.environ):
        _outlive_unit(engine)
    elif waiter_fd < 0 and launch.cgroups.manager == "systemd":
        outlive(container)


def _events(attach_fd: int, *, run: bool) -> tuple[str, ...]:
    if not run:
        return ("init",)
    return ("init", "start") if attach_fd < 0 else ("init", "start", "attach")


def _columns(launch: Launch, status: str) -> dict[str, Any]:
    """Return the columns of a started container."""
    columns = {
        "status": status,
        "pid": launch.pid,
        "pid_start": launch.pid_start,
        "conmon_pid": launch.conmon_pid,
        "conmon_start": pids.start_time(launch.conmon_pid),
        "started": time_ns(),
        "exit_code": 0,
        "oom_killed": 0,
        "error": "",
    }
    return columns if launch.ports is None else {**columns, "ports": launch.ports}


def _end_waiting(row: ContainerRow) -> None:
    """End a monitor that is waiting to start the container again: this call starts it now."""
    if row.status == RESTARTING:
        pids.send_signal(row.conmon_pid, row.conmon_start, _SIGKILL)


def check_command(spec: ContainerSpec) -> None:
    """Raise CommandNotFoundError if there is no command. Creating such a container is allowed, for its files."""
    if not spec.command:
        raise CommandNotFoundError(
            "no command or entrypoint provided, and no CMD or ENTRYPOINT from image",
            hint=f"Give one: podpy run {spec.image or '--rootfs ' + spec.rootfs} COMMAND",
        )


def _outlive_unit(engine: Engine) -> None:
    """Let what other containers need outlive the unit whose process this is."""
    from podpy.systemd.unit import release_lasting

    release_lasting(engine.paths, os.path.join(engine.paths.runroot, netns.SHARED, netns.NETNS))


def _start_initialized(container: Held) -> None:
    container.engine.oci_runtime.start(container.id)
    spec = container.spec
    if spec.health is not None or spec.post_start or spec.pre_stop or spec.deadline:
        from podpy.monitor.health import tell_changed

        tell_changed(container.engine.run_directory(container.id))
    container.engine.table.update(container.id, "start", status=RUNNING, started=time_ns())
    container.refresh(locked=True)
    sdnotify.tell_started(container.spec, container.row.conmon_pid, container.engine.caller.environ)


def _check_startable(container: Held, status: str) -> None:
    if status in ALIVE:
        raise AlreadyError.improper(f"container {container.name} is already {status}")
    if status not in (CREATED, EXITED, INITIALIZED, RESTARTING):
        raise StateError.improper(f"container {container.id} must be in Created or Stopped state to be started")


def _undo(container: Held, launch: Launch | None, error: BaseException, more: dict[str, Any]) -> None:
    """Restore the state from before a failed start; the error's code becomes the exit code, as in Podman.

    `more`: additional columns for the row.
    """
    engine = container.engine
    row = container.row
    if launch is not None:
        launch.abandon()
        row = row.replace(pid=launch.pid, pid_start=launch.pid_start if launch.pid else 0)
    release(engine, row)
    code = error.exit_code if isinstance(error, PodpyError) else 0
    changes = {
        "status": EXITED if row.started else CREATED,
        "exit_code": code,
        "error": fastjson.well_formed(str(error)),
        "pid": 0,
        "conmon_pid": 0,
        **more,
    }
    engine.table.note(row.id, **changes)
    container.row = container.row.replace(**changes)


def discard_failed_start(container: Held) -> None:
    """Remove a `--rm` container whose start failed."""
    from podpy.libpod.containers.ending.finish import remove_locked

    try:
        with container.locked() as row:
            if row.status in (CREATED, EXITED, REMOVING):
                remove_locked(container, row, volumes=True)
    except NoSuchContainerError:
        pass  # conmon's exit command has removed it
