"""Lines: a container's log as an iterator that another thread may end."""

from __future__ import annotations

from podpy.library import descriptors

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType
    from typing import Self

    from podpy.libpod.io.log_lines import LogLine


class Lines:
    """The lines of a log; a context. `close`, from any thread, ends the iteration, and nothing else."""

    def __init__(self, read: Callable[[int], Iterator[LogLine]], streams: frozenset[str]) -> None:
        """`read(output)` yields them, and raises BrokenPipeError when nobody reads any more from what is written to
        `output`. Only those of `streams` (stdout, stderr) are given.
        """
        self._reading, self._writing = descriptors.private_pipe(reading=True)
        self._lines = read(self._writing)
        self._streams = streams

    def __iter__(self) -> Iterator[LogLine]:
        return self

    def __next__(self) -> LogLine:
        try:
            while self._reading >= 0:
                line = next(self._lines)
                if line.stream in self._streams:
                    return line
        except BrokenPipeError:
            if self._reading >= 0:
                raise
        self._end()
        raise StopIteration

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()
        self._end()

    def close(self) -> None:
        """End the iteration; the container runs on."""
        reading, self._reading = self._reading, -1
        if reading >= 0:
            descriptors.close(reading)

    def _end(self) -> None:
        self.close()
        writing, self._writing = self._writing, -1
        if writing >= 0:
            descriptors.close(writing)
