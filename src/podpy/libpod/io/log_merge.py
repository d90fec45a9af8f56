"""The logs of several containers as one, in the order of time."""

from __future__ import annotations

import heapq

from podpy.times import nanoseconds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from podpy.libpod.io.log_lines import LogLine


def merged(logs: Sequence[Iterable[LogLine]]) -> Iterator[tuple[int, LogLine]]:
    """Yield pairs (index of the log, entry), earliest first; each log keeps its order; a line's pieces stay together.

    Not for followed logs: it waits for the next entry of each.
    """
    for _, which, _, entries in heapq.merge(*(_numbered(which, log) for which, log in enumerate(logs))):
        for entry in entries:
            yield which, entry


def _numbered(which: int, log: Iterable[LogLine]) -> Iterator[tuple[int, int, int, list[LogLine]]]:
    latest = 0  # the clock may have been set back: entries of one log must not change places
    for number, entries in enumerate(_lines(log)):
        latest = max(latest, nanoseconds(entries[0].time))
        yield latest, which, number, entries


def _lines(log: Iterable[LogLine]) -> Iterator[list[LogLine]]:
    pieces: list[LogLine] = []
    for entry in log:
        pieces.append(entry)
        if not entry.partial:
            yield pieces
            pieces = []
    if pieces:
        yield pieces
