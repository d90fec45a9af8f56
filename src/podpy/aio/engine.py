"""Runtime and Container for asyncio."""

from __future__ import annotations

from podpy.aio.threads import in_thread, items
from podpy.errors import NoSuchContainerError
from podpy.library import descriptors
from podpy.library.runtime import Runtime as Library

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping, Sequence
    from typing import Self, TypeVar, Unpack

    from podpy.libpod.io.log_lines import LogLine
    from podpy.libpod.system.events import Event
    from podpy.library.container import Container as LibraryContainer
    from podpy.library.options import Options
    from podpy.library.running import ExecResult

    T = TypeVar("T")
    Command = str | Sequence[str] | None


class Runtime:
    """The engine. What has no method here is done by `call`."""

    def __init__(self, make: Callable[[], Library] = Library) -> None:
        """`make()` returns a podpy.Runtime; each call has one of its own."""
        self._make = make

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Nothing is open."""

    async def call(self, work: Callable[[Library], T]) -> T:
        """Return `work(runtime)`, done in a thread with a podpy.Runtime. Cancelled, it goes on."""

        def with_one() -> T:
            with self._make() as runtime:
                return work(runtime)

        return await in_thread(with_one)

    async def run(self, image: str, command: Command = None, **options: Unpack[Options]) -> bytes:
        """Run a container to its end, and return its standard output. Cancelled, the container runs on.

        Arguments and errors: those of `containers.run`.
        """
        return await self.call(lambda runtime: runtime.containers.run(image, command, **options))

    async def start(self, image: str, command: Command = None, **options: Unpack[Options]) -> Container:
        """Start a container in the background, and return it; arguments and errors: those of `containers.run`."""
        return Container(
            self, await self.call(lambda runtime: runtime.containers.run(image, command, detach=True, **options).id)
        )

    async def get(self, name: str) -> Container:
        """Return a container by name or id. Raises NoSuchContainerError, AmbiguousNameError."""
        return Container(self, await self.call(lambda runtime: runtime.containers.get(name).id))

    async def list(self, filters: Sequence[str] = (), *, all: bool = False) -> Sequence[Container]:
        """Return the running containers (`all`: all) that match every filter. Raises UsageError."""
        ids = await self.call(lambda runtime: [one.id for one in runtime.containers.list(filters, all=all)])
        return [Container(self, found) for found in ids]

    def events(self, filters: Sequence[str] = (), *, since: int = 0) -> AsyncIterator[Event]:
        """Yield events as they happen, without end; with `since` (nanoseconds since 1970) first those since then."""
        return items(lambda: _Events(self._make(), filters, since))


class Container:
    """A container, by its id. As a context it is removed at the end, whatever state it is in."""

    def __init__(self, runtime: Runtime, container_id: str) -> None:
        self._runtime = runtime
        self.id = container_id

    def __repr__(self) -> str:
        return f"<aio.Container {self.id[:12]}>"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        try:
            await self.call(lambda container: container.remove(force=True, volumes=True, timeout=0))
        except NoSuchContainerError:
            pass  # it went with its end

    async def call(self, work: Callable[[LibraryContainer], T]) -> T:
        """Return `work(container)`, done in a thread with a podpy.Container. Cancelled, it goes on."""
        return await self._runtime.call(lambda runtime: work(runtime.containers.get(self.id)))

    async def status(self) -> str:
        """Return the state now."""
        return await self.call(lambda container: container.status)

    async def stop(self, timeout: int | None = None) -> None:
        """Stop it; see `Container.stop` of the library."""
        await self.call(lambda container: container.stop(timeout))

    async def remove(self, *, force: bool = False, volumes: bool = False) -> None:
        """Remove it; see `Container.remove` of the library."""
        await self.call(lambda container: container.remove(force=force, volumes=volumes))

    async def exec(
        self,
        command: str | Sequence[str],
        *,
        stdin: bytes | bool = False,
        environment: Mapping[str, str] | None = None,
        user: str = "",
        workdir: str = "",
    ) -> ExecResult:
        """Run a command in it, and return what it wrote and its exit code. Cancelled, the command goes on."""
        return await self.call(
            lambda container: container.exec(
                command, stdin=stdin, environment=environment or {}, user=user, workdir=workdir
            )
        )

    async def wait(self, conditions: Collection[str] = ()) -> int:
        """Wait for its end (or one of these states), and return its exit code. Cancelled, only the waiting ends."""
        reading, writing = descriptors.private_pipe(reading=True)

        def wait(container: LibraryContainer) -> int:
            try:
                return container.wait(conditions=conditions, output=writing)
            except BrokenPipeError:
                return -1  # nobody waits any more
            finally:
                descriptors.close(writing)

        try:
            return await self.call(wait)
        finally:
            descriptors.close(reading)

    def logs(self, *, stream: bool = False, tail: int | None = None) -> AsyncIterator[LogLine]:
        """Yield the lines of its output; with `stream` also those to come, until its end. Raises NotSupportedError."""
        return items(lambda: self._runtime._make().containers.get(self.id).logs(stream=stream, tail=tail))


class _Events:
    """New events, until `close`."""

    def __init__(self, runtime: Library, filters: Sequence[str], since: int) -> None:
        self._reading, self._writing = descriptors.private_pipe(reading=True)
        self._stream = runtime.events(filters=filters, since=since, follow=True, past=bool(since), output=self._writing)

    def __iter__(self) -> Iterator[Event]:
        try:
            yield from self._stream
        except BrokenPipeError:
            pass  # closed
        finally:
            self._stream.close()
            descriptors.close(self._writing)

    def close(self) -> None:
        """End the iteration, from any thread."""
        descriptors.close(self._reading)
