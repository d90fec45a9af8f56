"""Finds the part of a log file with the entries of a time span, without reading the rest."""

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
    """Return offsets of entries: where to begin reading and where to stop.

    `since` and `until` are nanoseconds since 1970 (0: no bound). The times of a few hundred evenly spread entries are
    read, then more of them around a bound. All samples are compared, without bisection: times may go backwards if the
    clock was set.
    """
    size = os.fstat(file.fileno()).st_size
    begin, end = (0, size), (size, size)
    if since:
        begin = _narrowed(file, parse, (0, size), lambda times: _index(times, lambda time: time >= since))
    if until:
        end = _narrowed(file, parse, (0, size), lambda times: len(times) - _index(times[::-1], lambda t: t <= until))
    return begin[0], end[1]


def _index(times: list[int], wanted: Callable[[int], bool]) -> int:
    """Return the index of the first wanted time; the number of times if there is none."""
    return next((index for index, time in enumerate(times) if wanted(time)), len(times))


def _narrowed(
    file: BinaryIO,
    parse: Callable[[bytes], LogLine | None],
    span: tuple[int, int],
    beyond: Callable[[list[int]], int],
) -> tuple[int, int]:
    """Return the offsets of two entries around a bound: the sample before `beyond`'s result, and that sample."""
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
    """Return offset and time of one entry per step, in the file's order."""
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
