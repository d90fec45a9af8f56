"""Read a container's log: what conmon wrote as k8s-file or json-file, or into the journal.

A k8s-file line is "TIME STREAM P|F TEXT" (Kubernetes' CRI log format); P marks a piece of a line that goes on in the
stream's next entry. Rotated files are PATH.1 (newest) to PATH.N and are read first, oldest first.
"""

from __future__ import annotations

import os

from podpy.errors import NotSupportedError
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import BinaryIO

    from podpy.libpod.container import Container

_BLOCK = 1 << 16
_NO_LOG_DRIVERS = ("none", "off", "null", "passthrough", "passthrough-tty")


class LogLine(Record):
    """One entry: a line, or (partial) a piece of one that the stream's next entry goes on with."""

    time: str  # RFC 3339 with nanoseconds and the writer's offset
    stream: str  # stdout or stderr
    partial: bool
    text: bytes  # without the line's end


class LogOptions(Record):
    """What to read. `since` and `until` are nanoseconds since 1970 (0: no bound); tail -1 is everything."""

    follow: bool = False
    tail: int = -1
    since: int = 0
    until: int = 0


def read_logs(container: Container, options: LogOptions) -> Iterator[LogLine]:
    """Yield a container's log lines; with `follow`, until it ends. Raises NotSupportedError if there is no log."""
    driver = container.spec.log_driver or "k8s-file"
    if driver in _NO_LOG_DRIVERS:
        raise NotSupportedError(
            f"this container is using the '{driver}' log driver, cannot read logs",
            hint="Use --log-driver=k8s-file for containers whose logs you want to read",
        )
    if driver == "journald":
        from podpy.libpod.journal import read_journal

        return read_journal(container, options)
    parse = parse_json_line if driver == "json-file" else parse_k8s_line
    return _read_files(_LogFile(container.row.log_path, parse), container, options)


def _read_files(log: _LogFile, container: Container, options: LogOptions) -> Iterator[LogLine]:
    if options.tail >= 0 and not options.since and not options.until:
        yield from log.last(options.tail)
    else:
        lines = (line for line in log.stored() if _in_range(line, options))
        yield from lines if options.tail < 0 else _last_lines(lines, options.tail)
    if options.follow:
        for line in log.follow(container):
            if options.until and nanoseconds(line.time) > options.until:
                return
            if _in_range(line, options):
                yield line


class _LogFile:
    """The log's files as one sequence of entries; it remembers how far the current file was read."""

    def __init__(self, path: str, parse: Callable[[bytes], LogLine | None]) -> None:
        self._path = path
        self._parse = parse
        self._current: BinaryIO | None = None

    def stored(self) -> Iterator[LogLine]:
        """Yield all that is there, oldest first."""
        for path in reversed(self._rotated()):
            with open(path, "rb") as file:
                yield from self._entries(file)
        if self._open_current() is not None:
            yield from self._new_entries()

    def last(self, wanted: int) -> Iterator[LogLine]:
        """Yield the last `wanted` lines without reading what is before them."""
        newest_first: list[list[LogLine]] = []
        current = self._open_current()
        if current is not None:
            newest_first.append(self._tail_of(current, wanted))
        for path in self._rotated():
            missing = wanted - sum(not line.partial for lines in newest_first for line in lines)
            if missing <= 0:
                break
            with open(path, "rb") as file:
                newest_first.append(self._tail_of(file, missing))
        for lines in reversed(newest_first):
            yield from lines

    def follow(self, container: Container) -> Iterator[LogLine]:
        """Yield what comes after, until the container has ended and its last line was read."""
        from podpy.libpod.watch import FileWatch

        with FileWatch(os.path.dirname(self._path)) as watch:
            while True:
                alive = _may_write(container)
                while self._open_current() is not None:
                    yield from self._new_entries()
                    if not self._move_to_next_file():
                        break
                if not alive:
                    return
                watch.wait(container.row.conmon_pid, container.row.conmon_start)

    def _rotated(self) -> list[str]:
        paths: list[str] = []
        while os.path.exists(f"{self._path}.{len(paths) + 1}"):
            paths.append(f"{self._path}.{len(paths) + 1}")
        return paths

    def _open_current(self) -> BinaryIO | None:
        if self._current is None:
            try:
                self._current = open(self._path, "rb")  # noqa: SIM115 - kept open: after a rotation its rest is still due
            except FileNotFoundError:
                return None
        return self._current

    def _move_to_next_file(self) -> bool:
        assert self._current is not None
        try:
            if os.path.samestat(os.fstat(self._current.fileno()), os.stat(self._path)):
                return False
        except FileNotFoundError:
            return False
        self._current.close()
        self._current = None
        return True

    def _new_entries(self) -> Iterator[LogLine]:
        assert self._current is not None
        while True:
            at = self._current.tell()
            raw = self._current.readline()
            if not raw.endswith(b"\n"):
                self._current.seek(at)  # conmon is in the middle of writing it
                return
            line = self._parse(raw)
            if line is not None:
                yield line

    def _entries(self, file: BinaryIO) -> Iterator[LogLine]:
        for raw in file:
            line = self._parse(raw)
            if line is not None:
                yield line

    def _tail_of(self, file: BinaryIO, wanted: int) -> list[LogLine]:
        """Return the last `wanted` whole lines (with their pieces) of a file, read from its end in blocks."""
        at = file.seek(0, os.SEEK_END)
        data = b""
        # One more than wanted tells where the first wanted one begins; the entry that is cut off counts as another.
        while at > 0 and _count_lines(data) <= wanted + 1:
            step = min(_BLOCK, at)
            at = file.seek(at - step)
            data = file.read(step) + data
        end = data.rfind(b"\n") + 1  # what is after it conmon is still writing
        file.seek(at + end)
        raws = data[:end].splitlines()[0 if at == 0 else 1 :]  # the first one may have been cut
        lines = [line for raw in raws if (line := self._parse(raw)) is not None]
        return list(_last_lines(iter(lines), wanted))


def _count_lines(data: bytes) -> int:
    # Entries that are only pieces of a line don't count as lines.
    return data.count(b"\n") - data.count(b" stdout P ") - data.count(b" stderr P ")


def _last_lines(lines: Iterator[LogLine], wanted: int) -> Iterator[LogLine]:
    kept: list[LogLine] = []
    ends: list[int] = []  # where in `kept` each whole line ends
    for line in lines:
        kept.append(line)
        if not line.partial:
            ends.append(len(kept))
        if len(ends) > 2 * wanted + 1024:
            cut = ends[-wanted - 1]
            kept, ends = kept[cut:], [end - cut for end in ends if end > cut]
    start = ends[-wanted - 1] if len(ends) > wanted else 0
    return iter(kept[start:] if wanted else [])


def _in_range(line: LogLine, options: LogOptions) -> bool:
    if not options.since and not options.until:
        return True
    at = nanoseconds(line.time)
    return at >= options.since and (not options.until or at <= options.until)


def _may_write(container: Container) -> bool:
    from podpy.errors import NoSuchContainerError
    from podpy.libpod.state import ALIVE, CREATED, STARTING

    try:
        return container.refresh().status in (*ALIVE, STARTING, CREATED)
    except NoSuchContainerError:
        return False


def parse_k8s_line(raw: bytes) -> LogLine | None:
    """Return what a k8s-file line says, or None if it isn't one."""
    parts = raw.rstrip(b"\n").split(b" ", 3)
    if len(parts) < 4:
        return None
    time, stream, tag, text = parts
    return LogLine(
        time=time.decode("ascii", "replace"), stream=stream.decode("ascii", "replace"), partial=tag == b"P", text=text
    )


def parse_json_line(raw: bytes) -> LogLine | None:
    """Return what a json-file line (Docker's json-file driver) says, or None if it isn't one."""
    from podpy import fastjson

    try:
        entry = fastjson.loads(raw.decode("utf-8", "surrogateescape"))
        text = entry["log"].encode("utf-8", "surrogateescape")
        return LogLine(
            time=entry["time"], stream=entry["stream"], partial=not text.endswith(b"\n"), text=text.rstrip(b"\n")
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def nanoseconds(time: str) -> int:
    """Return the nanoseconds since 1970 of an RFC 3339 time; 0 if it isn't one."""
    date, _, rest = time.partition("T")
    clock, offset = _split_offset(rest)
    seconds, _, fraction = clock.partition(".")
    try:
        year, month, day = (int(part) for part in date.split("-"))
        hour, minute, second = (int(part) for part in seconds.split(":"))
    except ValueError:
        return 0
    whole = _days_since_1970(year, month, day) * 86400 + hour * 3600 + minute * 60 + second - offset
    return whole * 1_000_000_000 + int((fraction or "0").ljust(9, "0")[:9])


def _days_since_1970(year: int, month: int, day: int) -> int:
    # calendar.timegm would do, but it brings datetime, locale and re along. Years here begin in March, so that the day
    # that leap years have more is a year's last one.
    if month < 3:
        year, month = year - 1, month + 12
    leap_days = year // 4 - year // 100 + year // 400
    return 365 * year + leap_days + (153 * (month - 3) + 2) // 5 + day - 719469


def _split_offset(text: str) -> tuple[str, int]:
    if text.endswith(("Z", "z")):
        return text[:-1], 0
    for sign in "+-":
        clock, found, offset = text.rpartition(sign)
        if found:
            hours, _, minutes = offset.partition(":")
            return clock, int(sign + "1") * (int(hours) * 3600 + int(minutes or 0) * 60)
    return text, 0
