"""What `podpy build --progress=rawjson` and `--progress=tty` show, of the build's events.

A process of its own draws: it needs a clock, and the one that builds may have no second thread, since it enters
namespaces. It reads what rawjson prints, one line an event, and an empty line at the end.
"""

from __future__ import annotations

import os

from podpy import fastjson, process
from podpy.build.events import Events, status
from podpy.notice import warn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.build.events import Event

_STDOUT, _STDERR = 1, 2


class JsonLines(Events):
    """BuildKit's SolveStatus, one a line, on standard error; the image's id comes on `out`."""

    def __init__(self, out: int = _STDOUT) -> None:
        super().__init__(self._tell)
        self._out = out

    def _tell(self, event: Event) -> None:
        _write(_STDERR, _line(event))

    def end(self, image_id: str) -> None:
        """Print the image's id."""
        _write(self._out, f"{image_id}\n".encode())

    def close(self) -> None:
        """There is nothing to close."""


class LiveView(Events):
    """Steps, their times and the last lines of what they write, on the terminal at standard error."""

    def __init__(self, out: int = _STDOUT) -> None:
        super().__init__(self._tell)
        self._out = out
        self._warnings: list[str] = []
        reading, self._pipe = process.pipe()
        self._pid = process.fork()
        if self._pid == 0:
            os.close(self._pipe)
            _draw(reading)
        os.close(reading)

    def _tell(self, event: Event) -> None:
        self._send(_line(event))

    def _send(self, data: bytes) -> None:
        if self._pipe < 0:
            return
        try:
            _write(self._pipe, data)
        except BrokenPipeError:  # whoever ended the one that draws wants the build all the same
            os.close(self._pipe)
            self._pipe = -1

    def unused(self, names: list[str]) -> None:
        self._warnings.append(f"one or more build args were not consumed: [{' '.join(names)}]")

    def end(self, image_id: str) -> None:
        """Print the image's id, below the last picture."""
        self.close()
        _write(self._out, f"{image_id}\n".encode())

    def close(self) -> None:
        """Let the last picture stand."""
        if self._pid == 0:
            return
        self._send(b"\n")
        if self._pipe >= 0:
            os.close(self._pipe)
            self._pipe = -1
        process.wait(self._pid)
        self._pid = 0
        for text in self._warnings:
            warn(text)


def _line(event: Event) -> bytes:
    return f"{fastjson.dumps(status(event))}\n".encode()


def _write(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]


def _draw(reading: int) -> None:
    """Draw until the end; never return."""
    import signal

    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the build, and that says when there is no more
        from podpy.cli.show.build_drawing import Drawing

        Drawing().follow(reading)
    finally:
        os._exit(0)
