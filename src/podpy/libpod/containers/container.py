"""Container: the public class of one container.

Every changing method takes the container's lock, settles the row, acts, and commits. No lock is held while waiting for
a container to end.
"""

from __future__ import annotations

from podpy.errors import AlreadyError, NoSuchContainerError
from podpy.libpod.containers.held import Held
from podpy.libpod.containers.table import ALIVE, EXITED, RUNNING

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from typing import Any

    from podpy.libpod.caller import Streams
    from podpy.libpod.io.exec_options import ExecOptions
    from podpy.libpod.io.foreground import AttachOptions
    from podpy.libpod.io.log_lines import LogLine, LogOptions
    from podpy.spec.changes import Changes
    from podpy.spec.container import PortMapping

_ENDED = frozenset((EXITED, "stopped"))


class Container(Held):
    """A container. `row` is a snapshot; `refresh()` updates it."""

    def _change(self, work: Callable[[], object]) -> None:
        """Do `work` inside the user's namespaces, after repairing what killed calls have left."""
        from podpy.libpod.system.repair import repair_if_needed

        repair_if_needed(self.engine)
        self._privileged(work)

    # Starting

    def start(self) -> None:
        """Start the container, detached. Raises StateError, RuntimeFailedError (126, 127 …), OperationError."""
        from podpy.libpod.containers.starting.start import start

        self._change(lambda: start(self))

    def ensure_running(self) -> None:
        """Start the container unless it is running, or another call starts it first. Raises as `start`.

        One that another call has started and that has ended since is started once more.
        """
        while (status := self.status) != RUNNING:
            try:
                self.start()
            except AlreadyError:
                if status in ALIVE:  # paused, or about to end
                    raise
            else:
                return

    def init(self) -> None:
        """Prepare the container, so that its start is only one call of the OCI runtime. Raises as `start`."""
        from podpy.libpod.containers.starting.start import initialize

        self._change(lambda: initialize(self))

    # Signals and stopping

    def kill(self, signal: int = 9) -> None:
        """Send a signal to the container's first process. Raises StateError if it isn't running."""
        from podpy.libpod.containers.ending.stop import kill

        self._change(lambda: kill(self, signal))

    def stop(self, timeout: int | None = None, *, signal: int = 0) -> None:
        """Send the stop signal, wait up to `timeout` seconds (default: the container's own), then send SIGKILL.

        `signal`: send this one instead of the container's own. A `--rm` container is removed then. Raises StateError
        if the container is paused, and, after it has ended, if its monitor was killed: its exit code is unknown then.
        """
        from podpy.libpod.containers.ending.stop import stop_and_tell

        def work() -> None:
            for error in stop_and_tell([self], timeout, signal=signal).values():
                raise error

        self._change(work)

    def restart(self, timeout: int | None = None, *, signal: int = 0) -> None:
        """Stop the container if it is running, as `stop` does, then start it. Raises as `stop` and `start`."""
        from podpy.libpod.containers.ending.restart import restart_together

        def work() -> None:
            for error in restart_together([self], timeout, signal=signal).values():
                raise error

        self._change(work)

    def pause(self) -> None:
        """Freeze all processes. Raises StateError if the container isn't running, NotSupportedError without cgroups."""
        from podpy.libpod.containers.ending.freeze import pause

        self._change(lambda: pause(self))

    def unpause(self) -> None:
        """Thaw all processes. Raises StateError if the container isn't paused."""
        from podpy.libpod.containers.ending.freeze import unpause

        self._change(lambda: unpause(self))

    # Waiting and cleanup

    def wait(self, timeout: float | None = None, *, conditions: Collection[str] = (), output: int = -1) -> int:
        """Wait until the container has ended and return its exit code; one with `remove` is gone then.

        -1: nobody saw it end. `conditions`: it is waited for one of these states instead (podman-wait(1)). Raises
        TimeoutError after `timeout` seconds, UsageError for what is no state, BrokenPipeError when nobody reads any
        more from the descriptor `output`.
        """
        from podpy.libpod.containers.ending.wait import wait_for_end_of, wait_for_status

        if not _ENDED.issuperset(conditions):
            return wait_for_status(self, [*conditions], timeout, output)
        try:
            row = self.refresh()
        except NoSuchContainerError:
            row = self.row  # removed at its end (--rm): its exit record is still there
        code = wait_for_end_of(self, row, timeout, output)
        if self.spec.remove:  # who waited for it may use its name
            self.cleanup()
        return code

    def cleanup(self) -> None:
        """Release what an ended container still holds: runtime state, network, run directory.

        A `--rm` container is removed.
        """
        from podpy.libpod.containers.ending.finish import finish

        self._privileged(lambda: finish(self))

    def after_end(self, *, remove: bool = False, remove_image: bool = False, only_ended: bool = False) -> bool:
        """Clean up, or restart by the restart policy; conmon's exit command calls this after the container's end.

        `remove`: remove it, unless it is restarted; `remove_image`: its image, too, unless something else uses it.
        `only_ended`: do nothing to one that was never started. Return True if the restart failed, and the monitor must
        wait and call again.
        """
        from podpy.libpod.containers.ending.restart import after_end

        waits = self._privileged(lambda: after_end(self, remove=remove, only_ended=only_ended))
        if remove_image:
            from podpy.libpod.containers.ending.finish import discard_image

            self._privileged(lambda: discard_image(self.engine, self.row))
        return waits

    def after_exec(self) -> None:
        """Write the events of background commands that have ended; their monitors call this."""
        from podpy.libpod.io.exec import sessions

        self._privileged(lambda: sessions(self))

    def remove(
        self,
        *,
        force: bool = False,
        volumes: bool = False,
        timeout: int | None = None,
        depend: bool = False,
        going: Collection[str] | None = (),
    ) -> None:
        """Remove the container; `force` stops it first, `volumes` removes its anonymous volumes too.

        `depend`: also remove the containers that use its namespaces. `going`: ids of those that the caller itself is
        going to remove; None: all. Raises StateError if it is running and `force` is False, InUseError,
        UsageError (a pod's infra container).
        """
        from podpy.libpod.containers.ending.remove import remove

        self._change(lambda: remove(self, force=force, volumes=volumes, timeout=timeout, depend=depend, going=going))

    # Inside the container

    def attach(self, options: AttachOptions) -> int | None:
        """Attach to the running container until it ends; return its exit code, or None if the user detached.

        Raises StateError.
        """
        from podpy.libpod.io.foreground import attach

        return self._privileged(lambda: attach(self, options))

    def start_attached(self, options: AttachOptions) -> int | None:
        """Start the container and attach from its first byte on; return as `attach`. Raises as `start`."""
        from podpy.libpod.io.foreground import start_attached

        def work() -> int | None:
            code = start_attached(self, options)
            if code is not None:
                self.look_again()
            return code

        return self._privileged(work)

    def exec(self, options: ExecOptions, streams: Streams | None = None) -> int:
        """Run a command with these streams (default: the caller's) and return its exit code.

        Raises StateError, CommandNotFoundError (127), CommandNotExecutableError (126), RuntimeFailedError.
        """
        from podpy.libpod.io import exec as execute

        return self.engine.privileged(lambda: execute.run(self, options, streams or self.engine.caller.streams))

    def exec_detached(self, options: ExecOptions) -> str:
        """Start a command in the background and return its session's id. Raises as `exec`."""
        from podpy.libpod.io import exec as execute

        return self.engine.privileged(lambda: execute.start_detached(self, options))

    def logs(self, options: LogOptions | None = None) -> Iterator[LogLine]:
        """Yield the container's output; with `follow` also the output to come. Raises NotSupportedError (no log)."""
        from podpy.libpod.io.log_lines import LogOptions
        from podpy.libpod.io.logs import read_logs

        return read_logs(self, options or LogOptions())

    def check_health(self) -> str:
        """Run the health check once, and return its result: healthy, unhealthy, starting, stopped.

        Raises StateError if it can't be run, RuntimeFailedError if it exceeded its timeout.
        """
        from podpy.libpod.containers.health import check

        return check(self)

    # Data and names

    def inspect(self, *, size: bool = False) -> dict[str, Any]:
        """Return everything about the container: Podman 5's InspectContainerData as plain data."""
        from podpy.libpod.containers.inspect_data import inspect

        return inspect(self, size=size)

    def update(self, changes: Changes) -> None:
        """Change limits, restart policy, variables or ulimits; see `podpy.libpod.containers.updating.update`.

        Raises UsageError, NotSupportedError, RuntimeFailedError; then nothing has changed.
        """
        from podpy.libpod.containers.updating import update

        self._change(lambda: update(self, changes))

    def publish(self, ports: list[PortMapping]) -> list[PortMapping]:
        """Publish more ports, at once if the container runs; return them with their host ports.

        On user networks only while it runs: see `podpy.libpod.networks.publishing.publish`. Raises InUseError,
        NetworkSetupError, UsageError, NotSupportedError; then nothing has changed.
        """
        from podpy.libpod.system.repair import repair_if_needed

        repair_if_needed(self.engine)

        def work() -> list[PortMapping]:
            from podpy.libpod.networks.publishing import publish

            return publish(self, ports)

        return self._privileged(work)

    def unpublish(self, ports: list[PortMapping]) -> None:
        """Publish these ports no longer; a host port of 0, or no host address, means any. What is connected stays so.

        Raises StateError for one that isn't published, and as `publish`.
        """

        def work() -> None:
            from podpy.libpod.networks.publishing import unpublish

            unpublish(self, ports)

        self._change(work)

    def rename(self, name: str) -> None:
        """Rename the container. Raises UsageError for an invalid name, InUseError for a taken one."""
        from podpy.libpod.containers import renaming

        renaming.check(name)

        def work() -> None:
            renaming.rename(self, name)

        if self.spec.networks:
            self._change(work)  # /etc/hosts may be another user's in the container's namespace
        else:
            from podpy.libpod.system.repair import repair_if_needed

            repair_if_needed(self.engine)
            work()
