"""`image scp`: an image goes to another machine, comes from one, or goes from one to another, by ssh(1).

As `podpy save IMAGE | ssh HOST podman load` would do it: nothing is kept on the way, and the other machine needs podman
or podpy, and no service. Rule: podman-image-scp(1).
"""

from __future__ import annotations

import os

from podpy import process
from podpy.errors import ImageError, PodpyError, UsageError
from podpy.libpod.ssh import Host, Remote
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from podpy.config.connections import Connection

_MARK = "::"
_PART = 1 << 20
_EARLY = "the other machine's engine ended before it had read the image"


class Place(Record):
    """Where an image is, or goes to. `host` is None for this machine."""

    host: Host | None = None
    image: str = ""


def places(source: str, destination: str, find: Callable[[str], Connection | None]) -> tuple[Place, Place]:
    """Return from where to where. `find` returns the connection of a name. Raises UsageError, in Podman's words."""
    begin, end = _place(source, find), _place(destination, find)
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


def _place(text: str, find: Callable[[str], Connection | None]) -> Place:
    """Return what `IMAGE`, `HOST::` or `HOST::IMAGE` means; HOST may be a connection. Raises UsageError."""
    name, mark, image = text.rpartition(_MARK)
    if not mark:
        return Place(image=image)
    if not name or name.startswith("-"):
        raise UsageError(f"{text}: no host stands before {_MARK}: invalid argument", hint="USER@HOST::IMAGE")
    connection = find(name)
    return Place(host=Host.of_connection(connection) if connection else Host(destination=name), image=image)


def send(save: Callable[[str], None], host: Host) -> None:
    """Let `save` write an archive, to the path that it is given, and another machine load it.

    Raises ImageError, NotFoundError without ssh.
    """
    remote = Remote(host, "load --quiet", writes=True)
    _through(remote, lambda: save(f"/proc/self/fd/{remote.descriptor}"))


def fetch(load: Callable[[int], None], host: Host, image: str) -> None:
    """Let another machine save an image, and `load` read the archive from a descriptor. Raises as `send`."""
    remote = Remote(host, f"save {process.command_line([image])}", writes=False)
    _through(remote, lambda: load(remote.descriptor))


def between(source: Host, image: str, host: Host) -> None:
    """Bring an image from one other machine to another one. Raises as `send`."""
    target = Remote(host, "load --quiet", writes=True)
    origin = Remote(source, f"save {process.command_line([image])}", writes=False)
    ends = [origin, target]
    failures: list[ImageError] = []
    try:
        while os.splice(origin.descriptor, target.descriptor, _PART):
            pass
    except BrokenPipeError:
        ends.reverse()  # the target has ended first, and says why
        failures = [ImageError(_EARLY)]
    failures = [*filter(None, map(_failure, ends)), *failures]
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
    except BrokenPipeError:
        remote.end()
        raise ImageError(_EARLY) from None
    except (PodpyError, OSError):
        remote.end()
        raise
    remote.end()
