"""The progress of transfers: Podman's lines or bars on standard error; JSON events on standard output for programs.

`--progress json` writes one object a line, and nothing else on standard output:

    {"event": "message", "text": …}                     a line for people: a registry that is tried, a wait
    {"event": "layer-started", "digest": …, "size": …, "offset": …}  offset: bytes here already; size -1: unknown
    {"event": "layer-advanced", "digest": …, "offset": …}    bytes here now; at most ten lines a second for each layer
    {"event": "layer-done", "digest": …}                unpacked and verified
    {"event": "layer-exists", "digest": …}              the store had it
    {"event": "config", "digest": …}
    {"event": "committing"}
    {"event": "image", "name": …, "id": …}              the result of pull, load, import
    {"event": "artifact", "name": …, "digest": …}       of artifact pull
    {"event": "pushed", "name": …, "digest": …}         of push, manifest push, artifact push
    {"event": "saved", "name": …}                       of save
    {"event": "error", "name": …, "message": …, "hint": …, "exit_code": …}     instead of a result
"""

from __future__ import annotations

import sys
from _thread import allocate_lock as Lock
from time import monotonic

from podpy import fastjson
from podpy.errors import PodpyError
from podpy.libpod.images.options import SILENT, Progress, Spoken

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_DIGEST_SHOWN = 12
_INTERVAL = 0.1  # seconds between two JSON lines about one layer's bytes


def make(*, quiet: bool, style: str = "auto") -> Progress:
    """Return a reporter for a transfer: JSON, nothing, bars (if standard error is a terminal), or plain lines.

    `style` is `auto`, `plain` (never bars) or `json` (also if `quiet`).
    """
    if style == "json":
        return JsonLines()
    if quiet:
        return SILENT
    if style == "auto" and sys.stderr is not None and sys.stderr.isatty():
        return Bars()
    return Lines()


def tells_events(progress: Progress) -> bool:
    """Return whether standard output is for JSON events alone."""
    return isinstance(progress, JsonLines)


def tell_image(progress: Progress, image_id: str, name: str) -> None:
    """Print an image's id, or the event with it."""
    if isinstance(progress, JsonLines):
        progress.tell("image", name=name, id=image_id)
    else:
        print(image_id, flush=True)


def tell_failure(progress: Progress, error: PodpyError, name: str) -> None:
    """Print the event of a failure; the caller prints the line for people."""
    if isinstance(progress, JsonLines):
        progress.tell("error", name=name, message=error.message, hint=error.hint, exit_code=error.exit_code)


def tell_result(progress: Progress, event: str, **fields: str) -> None:
    """Print the event of a success; for people nothing is printed."""
    if isinstance(progress, JsonLines):
        progress.tell(event, **fields)


class FailuresTold:
    """A context that prints the event of an error that leaves its block; the error goes on."""

    def __init__(self, progress: Progress, name: str) -> None:
        self._progress = progress
        self._name = name

    def __enter__(self) -> None:
        """There is nothing to set up."""

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if isinstance(error, PodpyError):
            tell_failure(self._progress, error, self._name)


class Lines(Spoken):
    """One line per event."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._signatures = False

    def say(self, text: str) -> None:
        with self._lock:
            sys.stderr.write(text + "\n")
            sys.stderr.flush()

    def layer_started(self, digest: str, size: int, offset: int) -> None:
        note = f" (going on at {offset} of {size} bytes)" if 0 < offset < size else ""
        self.say(f"Copying blob {digest}{note}")


class Bars(Lines):
    """A bar per layer, drawn by Rich, which is imported when the first layer begins."""

    def __init__(self) -> None:
        super().__init__()
        self._bars: Any = None
        self._tasks: dict[str, Any] = {}

    def say(self, text: str) -> None:
        if self._bars is not None:
            self._bars.console.print(text, markup=False, highlight=False)
        else:
            super().say(text)

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


class JsonLines(Progress):
    """One JSON object per event, on standard output."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._offsets: dict[str, int] = {}
        self._told: dict[str, float] = {}

    def tell(self, event: str, **fields: object) -> None:
        """Write one line."""
        text = fastjson.dumps({"event": event, **fields})
        with self._lock:
            sys.stdout.write(text + "\n")
            sys.stdout.flush()

    def message(self, text: str) -> None:
        self.tell("message", text=text)

    def layer_started(self, digest: str, size: int, offset: int) -> None:
        self._offsets[digest] = offset
        self._told[digest] = monotonic()
        self.tell("layer-started", digest=digest, size=size, offset=offset)

    def layer_advanced(self, digest: str, count: int) -> None:
        self._offsets[digest] += count
        now = monotonic()
        if now - self._told[digest] >= _INTERVAL:
            self._told[digest] = now
            self.tell("layer-advanced", digest=digest, offset=self._offsets[digest])

    def layer_done(self, digest: str) -> None:
        self.tell("layer-done", digest=digest)

    def layer_exists(self, digest: str) -> None:
        self.tell("layer-exists", digest=digest)

    def config(self, digest: str) -> None:
        self.tell("config", digest=digest)

    def committing(self) -> None:
        self.tell("committing")


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
