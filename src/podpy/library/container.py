"""Container: what a program does with one container, in docker-py's words."""

from __future__ import annotations

from time import sleep
from typing import overload

from podpy.errors import NoSuchContainerError
from podpy.libpod.caller import Streams
from podpy.libpod.containers import container
from podpy.libpod.containers.contents.options import CommitOptions, CopyOptions
from podpy.libpod.io.exec_options import ExecOptions
from podpy.libpod.io.foreground import AttachOptions
from podpy.libpod.io.log_lines import LogOptions
from podpy.library import archives
from podpy.library.base import of_library
from podpy.library.lines import Lines
from podpy.library.running import ExecResult, Running
from podpy.library.shown import table
from podpy.spec.text.values import parse_signal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime
    from types import TracebackType
    from typing import Any, BinaryIO, Literal, Self

    from podpy.libpod.containers.stats import Stats
    from podpy.library.archives import PathStat
    from podpy.library.base import Base
    from podpy.storage.images import ImageRecord
    from podpy.storage.layers.differences import Change

    When = datetime | float | None
    Address = tuple[str, int]

HEADINGS = ("Name", "Id", "Image", "State")
_SECOND = 1_000_000_000


class Container(container.Container):
    """A container. As a context it is removed at the end, whatever state it is in, with its anonymous volumes.

    Pickled, it is looked up again by its id.
    """

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        try:
            self.remove(force=True, volumes=True, timeout=0)
        except NoSuchContainerError:
            pass  # it went with its end, or somebody has removed it

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return found_again, (of_library(self.engine), self.id)

    def _repr_html_(self) -> str:
        return table(HEADINGS, [cells(self)])

    def _elsewhere(self) -> Container:
        """Return this container for another thread."""
        return type(self)(of_library(self.engine).another(), self.row)

    # What it is

    @property
    def short_id(self) -> str:
        """The first 12 digits of the id."""
        return self.id[:12]

    @property
    def labels(self) -> dict[str, str]:
        """The image's labels, and the container's own, which override them."""
        return self.spec.shown_labels

    @property
    def attrs(self) -> dict[str, Any]:
        """What `inspect` returns, now."""
        return self.inspect()

    @property
    def health(self) -> str:
        """The health, now: healthy, unhealthy or starting; "" without a health check, or if it doesn't run."""
        return of_library(self.engine).health_states([self.id]).get(self.id, "")

    @property
    def ports(self) -> dict[str, list[dict[str, str]] | None]:
        """The ports as Docker's API has them: {"80/tcp": [{"HostIp": "", "HostPort": "8080"}]}, None: not published."""
        found: dict[str, list[dict[str, str]] | None] = self.inspect()["NetworkSettings"]["Ports"]
        return found

    def address(self, port: int, protocol: str = "tcp") -> Address:
        """Return address and port of this machine where a published port is. Raises NotFoundError."""
        from podpy.errors import NotFoundError

        for place in self.ports.get(f"{port}/{protocol}") or ():
            host = place["HostIp"]
            return "127.0.0.1" if host in ("", "0.0.0.0") else "::1" if host == "::" else host, int(place["HostPort"])
        raise NotFoundError(f"container {self.name} publishes no port {port}/{protocol}", hint="ports={80: None}")

    def reload(self) -> None:
        """Read the state again. Raises NoSuchContainerError."""
        self.refresh()

    # Signals

    def kill(self, signal: int | str = 9) -> None:
        """Send a signal ("SIGHUP", 1) to the first process. Raises StateError, UsageError."""
        super().kill(parse_signal(signal) if isinstance(signal, str) else signal)

    # Output

    def logs(
        self,
        options: LogOptions | None = None,
        *,
        stream: bool = False,
        tail: int | None = None,
        since: When = None,
        until: When = None,
        stdout: bool = True,
        stderr: bool = True,
    ) -> Lines:
        """Return an iterator of LogLines; with `stream` also of the lines to come, until the container has ended.

        `tail`: only so many of the last lines. `since`, `until`: datetime, or seconds since 1970. Raises
        NotSupportedError (no log).
        """
        asked = options or LogOptions(
            follow=stream, tail=-1 if tail is None else tail, since=_nanoseconds(since), until=_nanoseconds(until)
        )
        chosen = frozenset(name for name, wanted in (("stdout", stdout), ("stderr", stderr)) if wanted)
        read = super().logs
        return Lines(lambda output: read(asked.replace(output=output)), chosen)

    @overload
    def attach(self, options: AttachOptions) -> int | None: ...
    @overload
    def attach(self, *, stdin: bytes | bool = False) -> Running: ...
    def attach(self, options: AttachOptions | None = None, *, stdin: bytes | bool = False) -> int | Running | None:
        """Attach to the running container: an iterator of Chunks of what it writes from now on, until its end.

        `stdin`: all that it is given to read; True: what `write` gives. With AttachOptions, attach until the end, and
        return the exit code, or None if the user detached. Raises StateError.
        """
        if options is not None:
            return super().attach(options)
        self.require_running("you can only attach to running containers")
        other = self._elsewhere()
        return Running(lambda streams: container.Container.attach(other, AttachOptions(streams)), stdin)

    @overload
    def exec(self, options: ExecOptions, /, streams: Streams | None = None) -> int: ...
    @overload
    def exec(
        self,
        command: str | Sequence[str],
        *,
        stream: Literal[False] = False,
        stdin: bytes | bool = False,
        environment: Mapping[str, str] = ...,
        user: str = "",
        workdir: str = "",
        privileged: bool = False,
        tty: bool = False,
    ) -> ExecResult: ...
    @overload
    def exec(
        self,
        command: str | Sequence[str],
        *,
        stream: Literal[True],
        stdin: bytes | bool = False,
        environment: Mapping[str, str] = ...,
        user: str = "",
        workdir: str = "",
        privileged: bool = False,
        tty: bool = False,
    ) -> Running: ...
    def exec(
        self,
        command: str | Sequence[str] | ExecOptions,
        streams: Streams | None = None,
        *,
        stream: bool = False,
        stdin: bytes | bool = False,
        **how: Any,
    ) -> int | ExecResult | Running:
        """Run a command in the container, and return what it wrote and its exit code, which isn't raised.

        `command`: words, or a text that is split as a shell would. `stream`: return a Running, an iterator of Chunks;
        `stdin`: all that it is given to read, or with `stream` True: what `write` gives. With ExecOptions it has these
        `streams`, and the exit code is returned. Raises StateError, CommandNotFoundError (127),
        CommandNotExecutableError (126).
        """
        if isinstance(command, ExecOptions):
            return super().exec(command, streams)
        from podpy.library.asked import words

        environment = dict(how.pop("environment", {}))
        options = ExecOptions(command=words(command), env=environment, interactive=stdin is not False, **how)
        other = self._elsewhere()
        running = Running(lambda given: container.Container.exec(other, options, given), stdin)
        return running if stream else running.result()

    # Usage

    @overload
    def stats(self, *, stream: Literal[False] = False) -> Stats: ...
    @overload
    def stats(self, *, stream: Literal[True], interval: float = 1.0) -> Iterator[Stats]: ...
    def stats(self, *, stream: bool = False, interval: float = 1.0) -> Stats | Iterator[Stats]:
        """Return what the container uses now; with `stream` an iterator, of a sample every `interval` seconds, that
        ends with the container. The first sample counts CPU time since the container's start.
        """
        sampler = of_library(self.engine).containers.stats([self.id])
        if not stream:
            return sampler.sample()[0]

        def samples() -> Iterator[Stats]:
            while True:
                try:
                    sample = sampler.sample()[0]
                except NoSuchContainerError:
                    return
                if not sample.running:
                    return
                yield sample
                sleep(interval)

        return samples()

    def top(self, fields: Sequence[str] = ()) -> list[list[str]]:
        """Return a heading, and a row for each process; `fields` are podman-top(1)'s. Raises StateError."""
        return of_library(self.engine).containers.top(self.id, fields)

    # Files

    def get_archive(self, path: str) -> tuple[Iterator[bytes], PathStat]:
        """Return a tar of a path in the container, piece by piece, and what the path is. Raises NotFoundError."""
        containers = of_library(self.engine).containers
        return archives.read(lambda descriptor: containers.copy_out(self.id, path, descriptor))

    def put_archive(self, path: str, data: bytes | BinaryIO, *, keep_owner: bool = False) -> None:
        """Unpack a tar (compressed or not) in a directory of the container; the files belong to its user, or
        (`keep_owner`) to whom the tar says. Raises NotFoundError, StorageError.
        """
        containers = of_library(self.engine).containers
        options = CopyOptions(archive=False if keep_owner else None)
        archives.give(data, lambda descriptor: containers.copy_in(self.id, descriptor, path, options))

    def diff(self) -> list[Change]:
        """Return how the files differ from the image's."""
        return of_library(self.engine).containers.diff(self.id)

    def export(self, output: str | int) -> None:
        """Write the root file system as a tar to a path or a descriptor. Raises StorageError, NoSpaceError."""
        of_library(self.engine).containers.export(self.id, output)

    def commit(
        self,
        repository: str = "",
        tag: str = "",
        *,
        message: str = "",
        author: str = "",
        changes: Sequence[str] = (),
        pause: bool | None = None,
        squash: bool = False,
    ) -> ImageRecord:
        """Make an image of the container, with the name `repository:tag` (none if empty), and return it.

        `changes`: instructions of a Dockerfile. `pause`: freeze it meanwhile; None: if possible. A `message` makes it
        an image of Docker's format, the only one that has it. Raises UsageError, ImageError, StorageError.
        """
        options = CommitOptions(
            message=message,
            author=author,
            changes=[*changes],
            pause=pause,
            squash=squash,
            format="docker" if message else "oci",
        )
        name = f"{repository}:{tag}" if tag else repository
        return of_library(self.engine).containers.commit(self.id, name, options)


def found_again(runtime: Base, container_id: str) -> container.Container:
    """Return a container of a Runtime. Raises NoSuchContainerError."""
    return runtime.container(container_id)


def cells(one: container.Container) -> tuple[str, str, str, str]:
    """Return the container's cells below HEADINGS."""
    row = one.row
    return row.name, row.id[:12], row.image_name, row.status


def _nanoseconds(when: When) -> int:
    if when is None:
        return 0
    seconds = when if isinstance(when, int | float) else when.timestamp()
    return int(seconds * _SECOND)
