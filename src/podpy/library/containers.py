"""Containers: `runtime.containers`."""

from __future__ import annotations

import os
from typing import overload

from podpy.errors import ContainerError
from podpy.image.registry.access import PullOptions
from podpy.libpod.caller import Streams
from podpy.libpod.containers import manager
from podpy.libpod.io.foreground import AttachOptions
from podpy.library import descriptors
from podpy.library.container import HEADINGS, Container, cells
from podpy.library.shown import Listed
from podpy.spec.container import ContainerSpec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any, Literal, Unpack

    from podpy.image.progress import Progress
    from podpy.library.options import Options

    Command = str | Sequence[str] | None
    Pull = str | PullOptions
    Reporting = Callable[[], Progress] | None

_CHUNK = 1 << 20


class Containers(manager.Containers):
    """The containers of one store."""

    kind: type[Container] = Container

    def __call__(self) -> Listed[Container]:
        """Return all containers, oldest first."""
        return self.list(all=True)

    def get(self, name: str) -> Container:
        """Return a container by name, id, or beginning of its id. Raises NoSuchContainerError, AmbiguousNameError."""
        return self.kind(self._engine, self._engine.table.find(name))

    def latest(self) -> Container:
        """Return the container that was created last. Raises NoSuchContainerError."""
        return self.kind(self._engine, super().latest().row)

    def list(self, filters: Sequence[str] = (), *, all: bool = False, last: int = 0) -> Listed[Container]:
        """Return the running containers (`all`: all; `last`: that many of the newest) that match every filter
        ("label=app=shop", "status=exited": podman-ps(1)), oldest first. Raises UsageError, NoSuchContainerError.
        """
        rows = self.listing(filters, all=all, last=last).rows
        return Listed([self.kind(self._engine, row) for row in rows], HEADINGS, cells)

    @overload
    def create(
        self,
        spec: ContainerSpec,
        /,
        pull: PullOptions | None = None,
        *,
        replace: bool = False,
        progress: Reporting = None,
    ) -> Container: ...
    @overload
    def create(
        self,
        image: str,
        command: Command = None,
        *,
        pull: Pull = "",
        platform: str = "",
        replace: bool = False,
        progress: Reporting = None,
        **options: Unpack[Options],
    ) -> Container: ...
    def create(
        self, image: str | ContainerSpec, *given: Any, replace: bool = False, progress: Reporting = None, **how: Any
    ) -> Container:
        """Create a container that isn't started.

        `image`: its name, or a ContainerSpec. `command`: words, or a text that is split as a shell would. `pull`:
        always, missing, newer, never, or PullOptions; empty: as containers.conf says. `replace`: first remove a
        container of its name. Other keywords: `podpy.library.options.Options`. Raises TypeError (an unknown keyword),
        UsageError, NoSuchImageError, InUseError, ImageError, RegistryError.
        """
        spec, pull = self._asked(image, given, how)
        return self.kind(self._engine, super().create(spec, pull, replace=replace, progress=progress).row)

    def _asked(
        self, image: str | ContainerSpec, given: tuple[Any, ...], how: dict[str, Any]
    ) -> tuple[ContainerSpec, PullOptions | None]:
        """Return spec and pull options, of either form of the arguments."""
        pull, platform = how.pop("pull", None), how.pop("platform", "")
        if isinstance(image, ContainerSpec):
            if how:
                raise TypeError(f"unexpected keyword argument '{next(iter(how))}' beside a ContainerSpec")
            return image, given[0] if given else pull
        from podpy.library.asked import to_spec

        command = given[0] if given else how.pop("command", None)
        if not isinstance(pull, PullOptions):
            pull = PullOptions(policy=pull or "", platform=platform) if pull or platform else None
        engine = self._engine
        return to_spec(image, command, how, engine.caller, rootless=engine.paths.rootless), pull  # type: ignore[arg-type]

    @overload
    def run(
        self,
        spec: ContainerSpec,
        /,
        pull: PullOptions | None = None,
        options: AttachOptions | None = None,
        *,
        replace: bool = False,
        progress: Reporting = None,
        discard: bool = False,
    ) -> tuple[Container, int | None]: ...
    @overload
    def run(
        self,
        image: str,
        command: Command = None,
        *,
        detach: Literal[True],
        pull: Pull = "",
        platform: str = "",
        replace: bool = False,
        progress: Reporting = None,
        **options: Unpack[Options],
    ) -> Container: ...
    @overload
    def run(
        self,
        image: str,
        command: Command = None,
        *,
        detach: Literal[False] = False,
        stdout: bool = True,
        stderr: bool = False,
        stdin: bytes = b"",
        pull: Pull = "",
        platform: str = "",
        replace: bool = False,
        progress: Reporting = None,
        **options: Unpack[Options],
    ) -> bytes: ...
    def run(
        self, image: str | ContainerSpec, *given: Any, **how: Any
    ) -> tuple[Container, int | None] | Container | bytes:
        """Create a container and start it. Wait for its end and return what it wrote to standard output; with `detach`
        return the running container at once.

        `stdout`, `stderr`: which output is returned (all of one before the other). `stdin`: what the command reads.
        With a ContainerSpec: return the container, and the exit code if there are AttachOptions. Other arguments and
        errors: as `create`. Raises ContainerError if the command's exit code isn't 0, CommandNotFoundError (127),
        CommandNotExecutableError (126), OperationError, NetworkSetupError.
        """
        if isinstance(image, ContainerSpec):
            made, code = super().run(image, *given, **how)
            return self.kind(self._engine, made.row), code
        started: dict[str, Any] = {name: how.pop(name) for name in ("replace", "progress") if name in how}
        is_detached, stdin = how.pop("detach", False), how.pop("stdin", b"")
        wanted = how.pop("stdout", True), how.pop("stderr", False)
        if stdin:
            how["stdin_open"] = True
        spec, pull = self._asked(image, given, how)
        if is_detached:
            made, _ = super().run(spec, pull, discard=spec.remove, **started)
            return self.kind(self._engine, made.row)
        return self._output(spec, pull, stdin, wanted, started)

    def _output(
        self,
        spec: ContainerSpec,
        pull: PullOptions | None,
        stdin: bytes,
        wanted: tuple[bool, bool],
        started: dict[str, Any],
    ) -> bytes:
        """Run a container to its end, and return its output."""
        files = [descriptors.given(data) for data in (stdin, b"", b"")]
        try:
            streams = Streams(files[0] if stdin else None, files[1], files[2])
            made, code = super().run(spec, pull, AttachOptions(streams), discard=spec.remove, **started)
            written = [_read(descriptor) for descriptor in files[1:]]
        finally:
            for descriptor in files:
                descriptors.close(descriptor)
        if code:
            told = written[1].decode(errors="replace").strip().rpartition("\n")[2]
            message = f"container {made.name}: the command's exit code is {code}" + (f": {told}" if told else "")
            raise ContainerError(message, hint=f"podpy why {made.name}", exit_status=code, stderr=written[1])
        return b"".join(data for data, is_wanted in zip(written, wanted, strict=True) if is_wanted)


def _read(descriptor: int) -> bytes:
    os.lseek(descriptor, 0, os.SEEK_SET)
    data = bytearray()
    while piece := os.read(descriptor, _CHUNK):
        data += piece
    return bytes(data)
