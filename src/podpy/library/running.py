"""Running: a command in a container, or a container that is attached to, while a thread waits for its end."""

from __future__ import annotations

import os
import select
import threading

from podpy.errors import PodpyError, StateError
from podpy.libpod.caller import Streams
from podpy.library import descriptors
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType
    from typing import Self

_CHUNK = 1 << 16
_NAMES = ("stdout", "stderr")


class Chunk(Record):
    """A piece of output: not a line, but what could be read at once."""

    stream: str  # stdout or stderr
    data: bytes


class ExecResult(Record):
    """What a command wrote, and its exit code (None: attached to a container, and detached again)."""

    exit_code: int | None
    stdout: bytes
    stderr: bytes

    @property
    def output(self) -> bytes:
        """What it wrote to stdout, then what it wrote to stderr."""
        return self.stdout + self.stderr


class Running:
    """An iterator of Chunks that ends with the command; a context. Not safe to be used by two threads at a time.

    `close` ends the following. It doesn't end the command, which may find that nobody reads what it writes.
    """

    def __init__(self, work: Callable[[Streams], int | None], stdin: bytes | bool) -> None:
        """`work(streams)` runs the command and returns its exit code, in a thread. `stdin`: all that it reads; True:
        what `write` gives it.
        """
        self._given, self._input = _input(stdin)
        pipes = [descriptors.private_pipe(reading=True) for _ in (*_NAMES, "end")]
        self._reading = dict(zip([ends[0] for ends in pipes[:2]], _NAMES, strict=True))
        self._ended = pipes[2][0]
        writing = [ends[1] for ends in pipes]
        self._code: int | None = None
        self._error: BaseException | None = None
        self._is_over = False
        self._thread = threading.Thread(target=self._work, args=(work, writing), daemon=True, name="podpy-running")
        self._thread.start()

    def _work(self, work: Callable[[Streams], int | None], writing: list[int]) -> None:
        try:
            self._code = work(Streams(self._given if self._given >= 0 else None, writing[0], writing[1]))
        except BaseException as error:
            self._error = error  # raised where it is waited for
        finally:
            try:
                os.write(writing[-1], b"\n")  # its end would tell nothing: another call's helper may have a copy
            except BrokenPipeError:
                pass  # nobody follows it any more
            for descriptor in (self._given, *writing):
                descriptors.close(descriptor)

    def __iter__(self) -> Iterator[Chunk]:
        return self

    def __next__(self) -> Chunk:
        while not self._is_over:
            poll = select.poll()
            for descriptor in (*self._reading, self._ended):
                poll.register(descriptor, select.POLLIN)
            ready = {descriptor for descriptor, _ in poll.poll()}
            has_ended = self._ended in ready  # then all that was written is in the pipes
            for descriptor, name in [*self._reading.items()]:
                if descriptor in ready and (data := os.read(descriptor, _CHUNK)):
                    return Chunk(stream=name, data=data)
                if descriptor in ready or has_ended:
                    self._forget(descriptor, has_ended)
            if has_ended and not self._reading:
                self._finish()
        raise StopIteration

    def _forget(self, descriptor: int, has_ended: bool) -> None:
        """Stop to read from a stream with nothing left in it; before the end another process may still have it."""
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        if has_ended and any(events & select.POLLIN for _, events in poll.poll(0)):
            return
        del self._reading[descriptor]
        descriptors.close(descriptor)

    def _finish(self) -> None:
        self.close()
        self._thread.join()
        if self._error is not None:
            raise self._error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()

    def write(self, data: bytes) -> None:
        """Give it input. Raises StateError without `stdin=True`, BrokenPipeError when it reads no more."""
        if self._input < 0:
            raise StateError("its standard input isn't open", hint="Start it with stdin=True")
        view = memoryview(data)
        while view:
            view = view[os.write(self._input, view) :]

    def close_stdin(self) -> None:
        """Let it see the end of its input."""
        descriptor, self._input = self._input, -1
        if descriptor >= 0:
            descriptors.close(descriptor)

    def wait(self) -> int | None:
        """Read what is left, drop it, and return the exit code. Raises what the command's start raised."""
        return self.result().exit_code

    def result(self) -> ExecResult:
        """Read what is left, and return it with the exit code. Raises as `wait`."""
        self.close_stdin()
        parts: dict[str, list[bytes]] = {name: [] for name in _NAMES}
        for chunk in self:
            parts[chunk.stream].append(chunk.data)
        if self._error is not None:
            raise self._error
        return ExecResult(exit_code=self._code, stdout=b"".join(parts["stdout"]), stderr=b"".join(parts["stderr"]))

    def close(self) -> None:
        """Follow it no longer."""
        self._is_over = True
        self.close_stdin()
        ended, self._ended = self._ended, -1
        for descriptor in (*self._reading, ended):
            if descriptor >= 0:
                descriptors.close(descriptor)
        self._reading = {}


def _input(stdin: bytes | bool) -> tuple[int, int]:
    """Return the descriptor that the command reads from, and the one to write to; -1: none."""
    if stdin is True:
        return descriptors.private_pipe(reading=False)
    if stdin is False:
        return -1, -1
    try:
        return descriptors.given(stdin), -1
    except OSError as error:
        raise PodpyError(f"keeping the input: {(error.strerror or str(error)).lower()}") from None
