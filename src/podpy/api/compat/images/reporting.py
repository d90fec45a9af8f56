"""A transfer's progress as dockerd's lines of JSON. The answer begins with the first line: an error before it still has
a status of its own.
"""

from __future__ import annotations

import threading

from podpy import fastjson
from podpy.api.call import JSON_TYPE
from podpy.api.errors import HttpError, message_of
from podpy.errors import PodpyError
from podpy.image.progress import Progress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.api.call import Call

_STEP = 512 << 10  # bytes between two lines about a layer


class Lines:
    """The lines of an answer; several threads may write."""

    def __init__(self, call: Call) -> None:
        self._connection = call.connection
        self._lock = threading.Lock()

    def write(self, **fields: Any) -> None:
        """Send a line. Raises BrokenPipeError if the client has gone: the transfer ends then, as dockerd's does."""
        with self._lock:
            self.begin()
            self._connection.write((fastjson.dumps_readable(fields) + "\r\n").encode("utf-8", "surrogateescape"))

    def begin(self) -> None:
        """Begin the answer, if it hasn't begun."""
        if not self._connection.is_begun:
            self._connection.begin(200, [("Content-Type", JSON_TYPE)])

    def fail(self, error: Exception) -> None:
        """Tell an error: as a line if the answer has begun; else it is raised, for an answer with its status."""
        if not self._connection.is_begun:
            raise error
        if not isinstance(error, (HttpError, PodpyError, OSError)):
            raise error
        message = message_of(error)
        self.write(errorDetail={"message": message}, error=message)
        self._connection.end()

    def end(self) -> None:
        """End the answer."""
        self.begin()
        self._connection.end()


class Layers(Progress):
    """Tells of layers that come (a pull) or go (a push) by the first twelve digits of their digests."""

    def __init__(self, lines: Lines, *, first: str, there: str, moving: str, moved: str, is_push: bool = False) -> None:
        self._lines = lines
        self._first = first  # a line before all others, with `id` of the tag
        self._there, self._moving, self._moved = there, moving, moved
        self._sizes: dict[str, tuple[int, int, int]] = {}  # (of it here, told, all)
        self._is_push = is_push
        self._lock = threading.Lock()

    def begin(self, tag: str = "") -> None:
        """Send the first line, if it wasn't sent."""
        with self._lock:
            first, self._first = self._first, ""
        if first:
            self._lines.write(status=first, **({"id": tag} if tag else {}))

    def layer_started(self, digest: str, size: int, offset: int) -> None:
        self.begin()
        self._sizes[digest] = offset, offset, size
        if not self._is_push:
            self._tell(digest, "Pulling fs layer")

    def layer_advanced(self, digest: str, count: int) -> None:
        have, told, size = self._sizes.get(digest, (0, 0, -1))
        have += count
        if have - told >= _STEP:
            told = have
            self._lines.write(
                status=self._moving, progressDetail={"current": have, "total": max(size, have)},
                progress=_bar(have, size), id=_short(digest),
            )  # fmt: skip
        self._sizes[digest] = have, told, size

    def layer_done(self, digest: str) -> None:
        if not self._is_push:
            self._tell(digest, "Download complete")
        self._tell(digest, self._moved)

    def layer_exists(self, digest: str) -> None:
        self.begin()
        self._tell(digest, self._there)

    def _tell(self, digest: str, status: str) -> None:
        self._lines.write(status=status, progressDetail={}, id=_short(digest))


def _short(digest: str) -> str:
    return digest.partition(":")[2][:12]


def _bar(have: int, size: int) -> str:
    """Return the bar that clients without one of their own show."""
    if size <= 0:
        return f"{have}B"
    done = min(50, have * 50 // size)
    return f"[{'=' * done}{'>' if done < 50 else ''}{' ' * max(0, 49 - done)}]  {have}B/{size}B"
