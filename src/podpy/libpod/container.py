"""Container: one container's life, from created to removed.

Every changing method takes the container's lock, settles the row (what is true now), acts, commits. No lock is held
while waiting for a container to end.
"""

from __future__ import annotations

from podpy import fastjson
from podpy.errors import InUseError, NoSuchContainerError, StateError, UsageError
from podpy.libpod import names
from podpy.libpod.settle import settle
from podpy.libpod.state import ALIVE, PAUSED, RUNNING, STOPPING, ContainerRow
from podpy.runtime.spec import ContainerSpec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from typing import Any

    from podpy.libpod.exec import ExecOptions
    from podpy.libpod.locks import FileLock
    from podpy.libpod.logs import LogLine, LogOptions
    from podpy.libpod.runtime import Runtime
    from podpy.storage.images import ImageRecord


class Container:
    """A container and the runtime it belongs to. `row` is what was known at the last method call; see `refresh`."""

    def __init__(
        self,
        runtime: Runtime,
        row: ContainerRow,
        *,
        lock: FileLock | None = None,
        image: ImageRecord | None = None,
    ) -> None:
        self.runtime = runtime
        self.row = row
        self.lock = lock or runtime.lock(row.id)
        self._image = image
        self._spec: ContainerSpec | None = None

    @property
    def id(self) -> str:
        """The id: 64 hexadecimal digits."""
        return self.row.id

    @property
    def name(self) -> str:
        """The name."""
        return self.row.name

    @property
    def spec(self) -> ContainerSpec:
        """What was asked for, the image's configuration merged in."""
        if self._spec is None:
            self._spec = ContainerSpec.from_dict(fastjson.loads(self.row.spec))
        return self._spec

    @property
    def image(self) -> ImageRecord | None:
        """The image's record; None for `--rootfs`. Raises NoSuchImageError if it was removed by force."""
        if self._image is None and self.row.image_id:
            self._image = self.runtime.store.find_image(self.row.image_id)
        return self._image

    @property
    def status(self) -> str:
        """The true state now: created, running, paused, exited, …"""
        return self.refresh().status

    def refresh(self, *, locked: bool = False) -> ContainerRow:
        """Read the row again, settle it, and return it. Raises NoSuchContainerError if it is gone."""
        try:
            row = self.runtime.table.get(self.id)
        except NoSuchContainerError:
            if locked:
                self.lock.remove()  # taking the lock has made its file anew
            raise
        self.row = settle(self.runtime, row, locked=locked)
        return self.row

    def _privileged(self, work: Callable[[], object]) -> None:
        """Do `work` inside the user's namespaces; what it learns of the row comes back, also from a forked helper."""

        def and_tell() -> ContainerRow:
            work()
            return self.row

        self.row = self.runtime.privileged(and_tell)

    # Starting

    def start(self) -> None:
        """Start the container, detached. Raises StateError, RuntimeFailedError (126, 127 …), OperationError."""
        from podpy.libpod.start import start

        self._privileged(lambda: start(self))

    # Signals and stopping

    def kill(self, signal: int = 9) -> None:
        """Send a signal to the container's first process. Raises StateError if it isn't running."""
        from podpy.libpod.stop import kill

        self._privileged(lambda: kill(self, signal))

    def stop(self, timeout: int | None = None) -> None:
        """Send the stop signal, wait up to `timeout` seconds (default: the container's own), then SIGKILL."""
        from podpy.libpod.stop import stop

        self._privileged(lambda: stop(self, timeout))

    def restart(self, timeout: int | None = None) -> None:
        """Stop the container if it runs, and start it."""
        if self.status in ALIVE:
            self.stop(timeout)
        self.start()

    def pause(self) -> None:
        """Freeze all processes. Raises StateError if the container isn't running, NotSupportedError without cgroups."""
        self._freeze(RUNNING, PAUSED)

    def unpause(self) -> None:
        """Thaw all processes. Raises StateError if the container isn't paused."""
        self._freeze(PAUSED, RUNNING)

    def _freeze(self, before: str, after: str) -> None:
        def work() -> None:
            from podpy.rootless.cgroups import show_v2

            with self.lock:
                row = self.refresh(locked=True)
                show_v2()
                if row.status != before:
                    verb = "pause" if after == PAUSED else "unpause"
                    raise StateError(f'"{self.name}" is not {before}, can\'t {verb}: container state improper')
                (self._pause if after == PAUSED else self._resume)()
                self.row = row.replace(status=after)

        self._privileged(work)

    def _pause(self) -> None:
        # The row first: if this call is killed between, it says `paused`, and unpausing what isn't does no harm.
        self.runtime.table.update(self.id, status=PAUSED)
        try:
            self.runtime.oci_runtime.pause(self.id)
        except BaseException:
            self.runtime.table.update(self.id, status=RUNNING)
            raise

    def _resume(self) -> None:
        self.runtime.oci_runtime.resume(self.id)
        self.runtime.table.update(self.id, status=RUNNING)

    # Waiting and clean-up

    def wait(self, timeout: float | None = None) -> int:
        """Wait until the container has ended and return its exit code. Raises TimeoutError after `timeout` seconds."""
        from podpy.libpod.wait import wait_for_end

        try:
            row = self.refresh()
        except NoSuchContainerError:
            row = self.row  # removed by itself (--rm): its exit record is still there
        return wait_for_end(self.runtime, row, timeout)

    def cleanup(self) -> None:
        """Give back what a container that has ended still holds: runtime state, network, run directory."""
        from podpy.libpod.cleanup import cleanup

        self._privileged(lambda: cleanup(self))

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

        `depend`: and the containers that use its namespaces. `going`: ids of those that the caller removes, too, by
        itself; None: every one. Raises StateError if it is running and force is False, InUseError.
        """
        from podpy.libpod.remove import remove

        self._privileged(
            lambda: remove(self, force=force, volumes=volumes, timeout=timeout, depend=depend, going=going)
        )

    # What goes on inside

    def exec(self, options: ExecOptions) -> int | str:
        """Run a command with this process's standard streams; return its exit code (detached: the session's id).

        Raises StateError, CommandNotFoundError (127), CommandNotExecutableError (126), RuntimeFailedError.
        """
        from podpy.libpod import exec as execute

        return self.runtime.privileged(lambda: execute.run(self, options))

    def logs(self, options: LogOptions | None = None) -> Iterator[LogLine]:
        """Yield what the container has written, and with `follow` what it writes. Raises NotSupportedError (no log)."""
        from podpy.libpod.logs import LogOptions, read_logs

        return read_logs(self, options or LogOptions())

    # Small things

    def inspect(self, *, size: bool = False) -> dict[str, Any]:
        """Return everything about the container: Podman 5's InspectContainerData as plain data."""
        from podpy.libpod.inspect_data import inspect

        return inspect(self, size=size)

    def rename(self, name: str) -> None:
        """Give the container another name. Raises UsageError for a name that can't be, InUseError for one that is."""
        if not names.is_valid_name(name):
            raise UsageError(f"invalid container name {name!r}", hint="Names match [a-zA-Z0-9][a-zA-Z0-9_.-]*")
        with self.lock, self.runtime.database.transaction():
            owner = self.runtime.table.name_owner(name)
            if owner and owner != self.id:
                raise InUseError(f'the container name "{name}" is already in use by {owner}')
            row = self.refresh(locked=True)
            spec = fastjson.dumps(self.spec.replace(name=name).as_dict())
            self.runtime.table.update(self.id, name=name, spec=spec)
            self.row, self._spec = row.replace(name=name, spec=spec), None

    def require_running(self, purpose: str = "do this with") -> ContainerRow:
        """Return the settled row of a running container. Raises StateError in Podman's words: can only `purpose` …"""
        row = self.refresh()
        if row.status not in (RUNNING, STOPPING):
            raise StateError(
                f"can only {purpose} running containers, {self.name} is {row.status}: container state improper",
                hint=f"Start it with: podpy start {self.name}",
            )
        return row
