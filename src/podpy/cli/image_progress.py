"""What pulls and loads say on standard error: Podman's lines, or bars on a terminal."""

from __future__ import annotations

import sys
from threading import Lock

from podpy.image.progress import SILENT, Progress

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_DIGEST_SHOWN = 12


def make(*, quiet: bool) -> Progress:
    """Return what reports a transfer: nothing, bars (standard error is a terminal) or plain lines."""
    if quiet:
        return SILENT
    if sys.stderr is not None and sys.stderr.isatty():
        return Bars()
    return Lines()


class Lines(Progress):
    """One line per event."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._signatures = False

    def _say(self, text: str) -> None:
        with self._lock:
            sys.stderr.write(text + "\n")
            sys.stderr.flush()

    def message(self, text: str) -> None:
        self._say(text)

    def layer_started(self, digest: str, size: int, offset: int) -> None:
        note = f" (going on at {offset} of {size} bytes)" if 0 < offset < size else ""
        self._say(f"Copying blob {digest}{note}")

    def layer_exists(self, digest: str) -> None:
        self._say(f"Copying blob {digest} skipped: already exists")

    def config(self, digest: str) -> None:
        self._say(f"Copying config {digest}")

    def committing(self) -> None:
        self._say("Writing manifest to image destination")


class Bars(Lines):
    """A bar per layer, drawn by Rich, which is imported when the first layer begins."""

    def __init__(self) -> None:
        super().__init__()
        self._bars: Any = None
        self._tasks: dict[str, Any] = {}

    def _say(self, text: str) -> None:
        if self._bars is not None:
            self._bars.console.print(text, markup=False, highlight=False)
        else:
            super()._say(text)

    def layer_started(self, digest: str, size: int, offset: int) -> None:
        with self._lock:
            if self._bars is None:
                self._bars = _make_bars()
                self._bars.start()
            name = digest.partition(":")[2][:_DIGEST_SHOWN]
            total = size if size >= 0 else None
            self._tasks[digest] = self._bars.add_task(f"Copying blob {name}", total=total, completed=offset)

    def layer_advanced(self, digest: str, count: int) -> None:
        if digest in self._tasks:
            self._bars.advance(self._tasks[digest], count)

    def layer_done(self, digest: str) -> None:
        if digest in self._tasks:
            task = self._tasks[digest]
            total = self._bars.tasks[task].total
            self._bars.update(task, completed=total)

    def close(self) -> None:
        with self._lock:
            if self._bars is not None:
                self._bars.stop()
                self._bars = None

    def config(self, digest: str) -> None:
        self.close()
        super().config(digest)


def _make_bars() -> Any:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, TextColumn, TransferSpeedColumn
    from rich.progress import Progress as RichProgress

    return RichProgress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        console=Console(stderr=True),
    )
