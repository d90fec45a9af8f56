"""`image scp`: an image goes to another machine, comes from one, or goes from one to another, by ssh(1).

As `podpy save IMAGE | ssh HOST podman load` would do it: nothing is kept on the way, and the other machine needs podman
or podpy, and no service. Rule: podman-image-scp(1).
"""

from __future__ import annotations

import os

from podpy import process
from podpy.errors import ImageError, PodpyError, UsageError
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_MARK = "::"
_ENGINE = "$(command -v podman || command -v podpy || echo podman)"  # the other machine's
_FAILED_CONNECTION = 255  # ssh(1), EXIT STATUS
_PART = 1 << 20


class Place(Record):
    """Where an image is, or goes to. `host` is ssh's destination, "" for this machine."""

    host: str = ""
    image: str = ""

    @classmethod
    def parse(cls, text: str) -> Place:
        """Return what `IMAGE`, `HOST::` or `HOST::IMAGE` means. Raises UsageError."""
        host, mark, image = text.rpartition(_MARK)
        if mark and (not host or host.startswith("-")):
            raise UsageError(f"{text}: no host stands before {_MARK}: invalid argument", hint="USER@HOST::IMAGE")
        return cls(host=host, image=image)


def places(source: str, destination: str) -> tuple[Place, Place]:
    """Return from where to where. Raises UsageError, in Podman's words."""
    begin, end = Place.parse(source), Place.parse(destination)
    if not begin.image:
        raise UsageError("no source image specified: invalid argument", hint="podpy image scp [HOST::]IMAGE [HOST::]")
    if not begin.host and not end.host:
        raise UsageError("must specify a destination: invalid argument", hint="podpy image scp IMAGE USER@HOST::")
    if end.image:
        raise UsageError(
            f"{destination}: the image keeps its name: invalid argument",
            hint=f"podpy tag {begin.image} {end.image}, then copy that",
        )
    return begin, end


class Remote:
    """A command of another machine's engine. `descriptor`: our end of its standard input (`writes`) or output."""

    def __init__(self, host: str, command: str, *, writes: bool) -> None:
        """Raises NotFoundError without ssh."""
        program = process.find("ssh")
        self._host = host
        self._messages, messages = process.pipe()
        reading, writing = process.pipe()
        self.descriptor, theirs = (writing, reading) if writes else (reading, writing)
        try:
            self._pid = process.spawn(
                [program, "--", host, f"{_ENGINE} {command}"],
                stdin=theirs if writes else -1,
                stdout=None if writes else theirs,
                stderr=messages,
            )
        finally:
            os.close(theirs)
            os.close(messages)

    def end(self) -> None:
        """Close our end, and wait. Raises ImageError with the last line of what it said, if it failed."""
        os.close(self.descriptor)
        said = process.read_all(self._messages).strip().splitlines()
        code = process.wait(self._pid)
        if code:
            hint = f"ssh {self._host} podman version" if code == _FAILED_CONNECTION else ""
            raise ImageError(f"{self._host}: {said[-1] if said else f'exit code {code}'}", hint=hint)


def send(save: Callable[[str], None], host: str) -> None:
    """Let `save` write an archive, to the path that it is given, and another machine load it.

    Raises ImageError, NotFoundError without ssh.
    """
    remote = Remote(host, "load --quiet", writes=True)
    _through(remote, lambda: save(f"/proc/self/fd/{remote.descriptor}"))


def fetch(load: Callable[[int], None], place: Place) -> None:
    """Let another machine save an image, and `load` read the archive from a descriptor. Raises as `send`."""
    remote = Remote(place.host, f"save {process.command_line([place.image])}", writes=False)
    _through(remote, lambda: load(remote.descriptor))


def between(source: Place, host: str) -> None:
    """Bring an image from one other machine to another one. Raises as `send`."""
    target = Remote(host, "load --quiet", writes=True)
    origin = Remote(source.host, f"save {process.command_line([source.image])}", writes=False)
    ends = [origin, target]
    try:
        while os.splice(origin.descriptor, target.descriptor, _PART):
            pass
    except BrokenPipeError:
        ends.reverse()  # the target has ended first, and says why
    failures = list(filter(None, map(_failure, ends)))
    if failures:
        raise failures[0]


def _failure(remote: Remote) -> ImageError | None:
    try:
        remote.end()
    except ImageError as error:
        return error
    return None


def _through(remote: Remote, work: Callable[[], None]) -> None:
    """Work at this end. What the other one says explains a failure of ours better."""
    try:
        work()
    except (PodpyError, OSError):
        remote.end()
        raise
    remote.end()
