"""Which part of a log file can have the entries of a time span, found without reading the rest."""

from __future__ import annotations

import os

from podpy.times import nanoseconds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import BinaryIO

    from podpy.libpod.io.log_lines import LogLine

_LEAST_STEP = 64 << 10  # bytes
_MOST_SAMPLES = 256


def window(file: BinaryIO, parse: Callable[[bytes], LogLine | None], since: int, until: int) -> tuple[int, int]:
    """Return where to begin reading and where to stop, as offsets of entries.

    `since` and `until` are nanoseconds since 1970 (0: no bound). The times of a few hundred entries, evenly spread, are
    read, then of more where a bound lies. At first all are compared, and not by halving: times may go backwards where
    the clock was set.
    """
    size = os.fstat(file.fileno()).st_size
    begin, end = (0, size), (size, size)
    if since:
        begin = _narrowed(file, parse, (0, size), lambda times: _index(times, lambda time: time >= since))
    if until:
        end = _narrowed(file, parse, (0, size), lambda times: len(times) - _index(times[::-1], lambda t: t <= until))
    return begin[0], end[1]


def _index(times: list[int], wanted: Callable[[int], bool]) -> int:
    """Return the index of the first of the times that is wanted; their number if none is."""
    return next((index for index, time in enumerate(times) if wanted(time)), len(times))


def _narrowed(
    file: BinaryIO,
    parse: Callable[[bytes], LogLine | None],
    span: tuple[int, int],
    beyond: Callable[[list[int]], int],
) -> tuple[int, int]:
    """Return offsets of entries around a bound: it is between the one before the sample `beyond` and that sample."""
    begin, end = span
    while end - begin > _LEAST_STEP:
        samples = _samples(file, parse, begin, end)
        index = beyond([time for _, time in samples])
        narrower = (
            samples[index - 1][0] if index else begin,
            samples[index][0] if index < len(samples) else end,
        )
        if narrower == (begin, end):
            break
        begin, end = narrower
    return begin, end


def _samples(file: BinaryIO, parse: Callable[[bytes], LogLine | None], begin: int, end: int) -> list[tuple[int, int]]:
    """Return offset and time of entries, one for each step, in the file's order."""
    found = []
    for at in range(begin, end, max(_LEAST_STEP, (end - begin) // _MOST_SAMPLES)):
        file.seek(at)
        if at > begin:
            file.readline()  # the rest of an entry
        offset = file.tell()
        line = parse(file.readline())
        if line is not None:
            found.append((offset, nanoseconds(line.time)))
    return found
