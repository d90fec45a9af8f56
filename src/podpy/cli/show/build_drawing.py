"""The live view of a build, by Rich: what is over stands above, what is at work below, with the end of what it writes.

It is fed with lines of `--progress=rawjson`.
"""

from __future__ import annotations

import os
import select
from base64 import b64decode
from time import time_ns

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from podpy import fastjson
from podpy.times import SECOND, nanoseconds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_INTERVAL = 100  # milliseconds between two pictures
_TAIL = 6  # lines shown of a step at work
_TAIL_OF_FAILED = 20
_MOST_KEPT = 16 << 10
_CHUNK = 1 << 16


class Drawing:
    """The picture. `follow` draws it."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False)
        self._working: dict[str, dict[str, Any]] = {}
        self._written: dict[str, bytes] = {}  # the end of what each step at work has written

    def follow(self, reading: int) -> None:
        """Read lines and draw until an empty one, or the end of file."""
        poll = select.poll()
        poll.register(reading, select.POLLIN)
        rest = b""
        with Live(console=self._console, auto_refresh=False, transient=True) as live:
            while True:
                if poll.poll(_INTERVAL):
                    data = os.read(reading, _CHUNK)
                    *lines, rest = (rest + data).split(b"\n")
                    if not data or not all(self._take(line) for line in lines):
                        break
                live.update(self._picture(), refresh=True)
            live.update(Text(""), refresh=True)

    def _take(self, line: bytes) -> bool:
        """Take one line; return whether more come."""
        if not line:
            return False
        told = fastjson.loads(line)
        for vertex in told.get("vertexes", ()):
            self._step(vertex)
        for log in told.get("logs", ()):
            name = log["vertex"]
            self._written[name] = (self._written.get(name, b"") + b64decode(log["data"]))[-_MOST_KEPT:]
        return True

    def _step(self, vertex: dict[str, Any]) -> None:
        if "completed" not in vertex:
            self._working[vertex["digest"]] = vertex
            return
        self._working.pop(vertex["digest"], None)
        self._console.print(_row(vertex, nanoseconds(vertex["completed"]), self._console.width))
        written = self._written.pop(vertex["digest"], b"")
        if "error" in vertex:
            for line in _lines(written, _TAIL_OF_FAILED):
                self._console.print(_log(line))

    def _picture(self) -> Group:
        rows = []
        now = time_ns()
        for digest, vertex in self._working.items():
            rows.append(_row(vertex, now, self._console.width))
            rows += [_log(line) for line in _lines(self._written.get(digest, b""), _TAIL)]
        return Group(*rows[-(self._console.height - 1) :])


def _row(vertex: dict[str, Any], until: int, width: int) -> Text:
    """Return a step's line: its name, and how long it took, or takes."""
    time = f" {max(until - nanoseconds(vertex['started']), 0) / SECOND:.1f}s"
    mark, style = ("=>", "blue") if "completed" in vertex else ("=>", "bold")
    if "error" in vertex:
        mark, style, time = "=> ERROR", "red", time
    elif "cached" in vertex:
        mark, time = "=> CACHED", " 0.0s"
    name = Text(f"{mark} {_printable(vertex['name'])}", style=style, no_wrap=True)
    name.truncate(max(width - len(time), 1), overflow="ellipsis", pad=True)
    return name.append(time)


def _log(line: str) -> Text:
    return Text(f"   {line}", style="dim", no_wrap=True, overflow="ellipsis")


def _lines(data: bytes, count: int) -> list[str]:
    """Return the last lines as a terminal would show them, without what moves its cursor."""
    lines = data.decode("utf-8", "replace").split("\n")
    shown = [_printable(line.rstrip("\r").rpartition("\r")[2]) for line in lines]
    return [line for line in shown if line][-count:]


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text).rstrip()
