"""What a build tells → vertexes and logs, as clients of BuildKit show them."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from hashlib import sha256

from podpy.api.buildkit.grpc import failure
from podpy.build.events import STDERR, Events, Log, Warned

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from typing import Any

    from podpy.build.events import Event
    from podpy.build.options import Report, StepName

_SECOND = 1_000_000_000
_SHOWN = ("FROM", "RUN", "COPY", "ADD", "WORKDIR")
"""Instructions that BuildKit tells of; the others only change settings."""
_MOST_OUTPUT = 2 << 20  # bytes of a step
_CLIPPED = b"\n[output clipped, log limit 2MiB reached]\n"
_MOST_ENDED = 16


class Board:
    """What has been told of one build, for whoever asks for it, also later. Steps bounds what there is to tell."""

    def __init__(self) -> None:
        self._told: list[dict[str, Any]] = []
        self.is_ended = False
        self._changed = asyncio.Event()

    def add(self, message: dict[str, Any]) -> None:
        """Tell something."""
        self._told.append(message)
        self._wake()

    def end(self) -> None:
        """Nothing more follows."""
        self.is_ended = True
        self._wake()

    def _wake(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()

    async def follow(self) -> AsyncIterator[dict[str, Any]]:
        """Yield all that is told, until the end."""
        place = 0
        while True:
            changed = self._changed
            if place < len(self._told):
                yield self._told[place]
                place += 1
            elif self.is_ended:
                return
            else:
                await changed.wait()


class Boards:
    """The boards of a connection's builds, by their refs. Who asks for one may come before the build, or after it."""

    def __init__(self) -> None:
        self._boards: dict[str, Board] = {}

    def get(self, ref: str) -> Board:
        """Return a build's board."""
        return self._boards.setdefault(ref, Board())

    async def follow(self, ref: str) -> AsyncIterator[dict[str, Any]]:
        """Yield all that is told of a build. An ended one is forgotten with that."""
        board = self.get(ref)
        try:
            async for told in board.follow():
                yield told
        finally:
            if board.is_ended:
                self._boards.pop(ref, None)

    def end(self, ref: str) -> None:
        """A build has ended. Only the last few are kept for those who haven't asked yet."""
        self.get(ref).end()
        ended = [name for name, board in self._boards.items() if board.is_ended]
        for name in ended[:-_MOST_ENDED]:
            del self._boards[name]


class Steps(Events):
    """A build's steps on a board. `ref`: the build, which makes their digests its own."""

    def __init__(self, board: Board, ref: str) -> None:
        super().__init__(lambda event: board.add(_shown(event, ref)))
        self.step: StepName | None = None  # the newest one
        self._room = _MOST_OUTPUT  # bytes of output that may still be told of the step at work

    def of_stage(self, stage: int, stages: int) -> Report:
        return self

    def begins(self, step: StepName) -> None:
        self.step = step
        self._room = _MOST_OUTPUT
        if step.text.partition(" ")[0].upper() in _SHOWN:
            super().begins(step)
        else:
            super().ends()

    def output(self, stream: int, data: bytes) -> None:
        """Tell what a command writes, as much as BuildKit shows of it (util/progress/logs/logs.go)."""
        if not self._room:
            return
        super().output(stream, data[: self._room])
        self._room -= min(len(data), self._room)
        if not self._room:
            super().output(STDERR, _CLIPPED)

    def ends(self, error: str = "") -> None:
        """A failed step is at work until `fails` says why, in the client's words."""
        if not error:
            super().ends()

    def fails(self, error: str) -> None:
        """The step at work has failed."""
        super().ends(error)

    @contextmanager
    def doing(self, name: str) -> Iterator[None]:
        """Show what is done beside the Dockerfile's steps."""
        self.begin(name)
        try:
            yield
        except Exception as error:
            self.fails(failure(error).message)
            raise
        super().ends()


def _shown(event: Event, ref: str) -> dict[str, Any]:
    """Return an event as a StatusResponse."""

    def own(digest: str) -> str:
        return f"sha256:{sha256(f'{ref} {digest}'.encode('utf-8', 'surrogateescape')).hexdigest()}"

    if isinstance(event, Log):
        line = {"vertex": own(event.vertex), "timestamp": _time(event.timestamp), "stream": event.stream}
        return {"logs": [{**line, "msg": event.data}]}
    if isinstance(event, Warned):
        return {"warnings": [{"level": 1, "short": event.text.encode("utf-8", "surrogateescape")}]}
    vertex = {
        "digest": own(event.digest), "inputs": [own(each) for each in event.inputs], "name": event.name,
        "cached": int(event.cached), "started": _time(event.started), "error": event.error,
        "completed": _time(event.completed) if event.completed else None,
    }  # fmt: skip
    return {"vertexes": [vertex]}


def _time(stamp: int) -> dict[str, int]:
    seconds, nanos = divmod(stamp, _SECOND)
    return {"seconds": seconds, "nanos": nanos}
