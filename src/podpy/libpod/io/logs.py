"""Reads a container's log: conmon's k8s-file or json-file, or the journal.

A k8s-file line is "TIME STREAM P|F TEXT" (Kubernetes' CRI log format); P marks a piece of a line, which the stream's
next entry continues. Rotated files are PATH.1 (newest) to PATH.N and are read first, oldest first.
"""

from __future__ import annotations

import os
from time import time_ns

from podpy.errors import NotSupportedError
from podpy.libpod.io.log_lines import LogLine, LogOptions, in_range, last_lines, parse_json_line, parse_k8s_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import BinaryIO, TypeVar

    from podpy.libpod.containers.held import Held

    T = TypeVar("T")

_BLOCK = 1 << 16
_FREE_NUMBERS_AT_END = 3
_NO_LOG_DRIVERS = ("none", "off", "null", "passthrough", "passthrough-tty")


def read_logs(container: Held, options: LogOptions) -> Iterator[LogLine]:
    """Yield a container's log lines; with `follow`, until it ends. Raises NotSupportedError if there is no log."""
    driver = container.spec.log_driver
    if driver in _NO_LOG_DRIVERS:
        raise NotSupportedError(
            f"this container is using the '{driver}' log driver, cannot read logs",
            hint="Use --log-driver=k8s-file for containers whose logs you want to read",
        )
    if driver == "journald":
        from podpy.libpod.io.journal import read_journal

        return read_journal(container, options)
    parse = parse_json_line if driver == "json-file" else parse_k8s_line
    return _read_files(_LogFile(container.row.log_path, parse), container, options)


def _read_files(log: _LogFile, container: Held, options: LogOptions) -> Iterator[LogLine]:
    if options.tail >= 0 and not options.since and not options.until:
        yield from log.last(options.tail)
    else:
        lines = (line for line in log.stored(options.since, options.until) if in_range(line, options))
        yield from lines if options.tail < 0 else last_lines(lines, options.tail)
    if options.follow:
        yield from (line for line in log.follow(container, options) if in_range(line, options))


class _LogFile:
    """The log's files as one sequence of entries; remembers how far the current file was read."""

    def __init__(self, path: str, parse: Callable[[bytes], LogLine | None]) -> None:
        self._path = path
        self._parse = parse
        self._current: BinaryIO | None = None

    def stored(self, since: int = 0, until: int = 0) -> Iterator[LogLine]:
        """Yield the stored entries, oldest first; parts of files outside the time span aren't read."""
        files = self._open_all()
        for file in reversed(files):
            end = self._go_to(file, since, until) if since or until else None
            yield from self._new_entries(file, end)
        self._keep_newest(files)

    def _go_to(self, file: BinaryIO, since: int, until: int) -> int:
        from podpy.libpod.io.log_window import window

        begin, end = window(file, self._parse, since, until)
        file.seek(begin)
        return end

    def last(self, wanted: int) -> Iterator[LogLine]:
        """Yield the last `wanted` lines without reading what is before them."""
        newest_first: list[list[LogLine]] = []
        files = self._open_all()
        for file in files:
            missing = wanted - sum(not line.partial for lines in newest_first for line in lines)
            if missing > 0 or file is files[0]:
                newest_first.append(self._tail_of(file, missing))
        self._keep_newest(files)
        for lines in reversed(newest_first):
            yield from lines

    def follow(self, container: Held, options: LogOptions) -> Iterator[LogLine]:
        """Yield what comes after, until the container has ended and its last line was read, or it is `options.until`.

        Raises BrokenPipeError when nobody reads from `options.output`.
        """
        from podpy.libpod.containers.ending.wait import is_written
        from podpy.libpod.io.watch import FileWatch

        if not is_written(container):  # as in Podman: a stopped container writes nothing more
            yield from self._newer_entries()
            return
        with FileWatch(os.path.dirname(self._path)) as watch:
            while True:
                left = (options.until - time_ns()) / 1_000_000_000 if options.until else None
                goes_on = is_written(container) and (left is None or left > 0)
                yield from self._newer_entries()
                if not goes_on:
                    return
                watch.wait(container.row.conmon_pid, container.row.conmon_start, left, output=options.output)

    def _open_all(self, known: BinaryIO | None = None) -> list[BinaryIO]:
        """Open the log's files, newest first; if one is `known`, only those that are newer.

        Files are opened from the lowest number up, and a rotation only raises numbers, so no file can be missed; one
        met twice was renamed in between. A file found below the known newest was begun later. (Listing the directory
        isn't enough: readdir(3) may miss names that change meanwhile.)
        """
        files: list[BinaryIO] = []
        seen = set[tuple[int, int]]()
        newest_at = 0
        for number, file in self._upwards(0, _open):
            identity = _identity(os.fstat(file.fileno()))
            if known is not None and identity == _identity(os.fstat(known.fileno())):
                file.close()
                break
            if files:
                newest_at = self._number_of(files[0], newest_at)
            if identity in seen or (files and number <= newest_at):
                file.close()
            else:
                files.append(file)
                seen.add(identity)
        return files

    def _number_of(self, file: BinaryIO, least: int) -> int:
        """Return an open file's number, which was `least` before."""
        wanted = _identity(os.fstat(file.fileno()))
        numbers = (number for number, status in self._upwards(least, os.stat) if _identity(status) == wanted)
        return next(numbers, least)

    def _upwards(self, number: int, look: Callable[[str], T]) -> Iterator[tuple[int, T]]:
        """Yield pairs (number, result of `look`) for each file from a number on.

        A rotation in progress leaves one number free, and a second one may free the next number, too. Only several free
        numbers in a row are the end.
        """
        free = 0
        while free < _FREE_NUMBERS_AT_END:
            try:
                found = look(f"{self._path}.{number}" if number else self._path)
            except FileNotFoundError:
                free += 1
            else:
                free = 0
                yield number, found
            number += 1

    def _keep_newest(self, files: list[BinaryIO]) -> None:
        """Close the files that were read, except the newest, with which `follow` continues."""
        self._current = files[0] if files else None
        _close(files[1:])

    def _newer_entries(self) -> Iterator[LogLine]:
        """Yield the entries written since the last call, including those in files that were rotated since."""
        if self._current is not None:
            yield from self._new_entries(self._current)
            if _is_at(self._current, self._path):
                return
        while newer := self._open_all(self._current):
            if self._current is not None:
                # Again: conmon wrote into it until it was renamed.
                yield from self._new_entries(self._current)
                self._current.close()
            for file in reversed(newer):
                yield from self._new_entries(file)
            self._keep_newest(newer)

    def _new_entries(self, file: BinaryIO, end: int | None = None) -> Iterator[LogLine]:
        while True:
            at = file.tell()
            if end is not None and at >= end:
                return
            raw = file.readline()
            if not raw.endswith(b"\n"):
                file.seek(at)  # incomplete: conmon is still writing this entry
                return
            line = self._parse(raw)
            if line is not None:
                yield line

    def _tail_of(self, file: BinaryIO, wanted: int) -> list[LogLine]:
        """Return the last `wanted` whole lines (with their pieces) of a file, read from its end in blocks."""
        at = file.seek(0, os.SEEK_END)
        data = b""
        # One line more shows where the first wanted one begins; another one may be cut off at the beginning.
        while at > 0 and self._count_lines(data) <= wanted + 1:
            step = min(_BLOCK, at)
            at = file.seek(at - step)
            data = file.read(step) + data
        end = data.rfind(b"\n") + 1  # conmon is still writing what follows
        file.seek(at + end)
        raws = data[:end].split(b"\n")[0 if at == 0 else 1 :]  # the first one may have been cut
        lines = [line for raw in raws if (line := self._parse(raw)) is not None]
        return list(last_lines(iter(lines), wanted))

    def _count_lines(self, data: bytes) -> int:
        # Entries that are only pieces of a line don't count as lines.
        if self._parse is parse_json_line:
            return data.count(b'\\n","stream":"')
        return data.count(b"\n") - data.count(b" stdout P ") - data.count(b" stderr P ")


def _open(path: str) -> BinaryIO:
    return open(path, "rb")


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino


def _close(files: list[BinaryIO]) -> None:
    for file in files:
        file.close()


def _is_at(file: BinaryIO, path: str) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), os.stat(path))
    except FileNotFoundError:
        return False
