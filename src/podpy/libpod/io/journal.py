"""Reads the log of a container with the log driver journald, by journalctl(1): the format is systemd's own."""

from __future__ import annotations

import os
from time import gmtime, strftime, time_ns

from podpy import fastjson, pids, process
from podpy.errors import NotFoundError, NotSupportedError, RuntimeFailedError
from podpy.libpod.containers.ending.wait import is_written
from podpy.libpod.io.log_lines import LogLine, LogOptions, in_range, last_lines
from podpy.polling import wait_readable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from types import TracebackType
    from typing import Any

    from podpy.libpod.containers.held import Held

_SIGTERM = 15
_MICRO = 1_000_000
_NANO = 1_000_000_000
_BLOCK = 1 << 16
_LAST_WORDS = 0.5  # seconds that the journal may take for conmon's last entries
_ERROR_PRIORITY = "3"  # conmon writes stderr with this priority, stdout with 6 (syslog(3))
_FIELDS = "MESSAGE,PRIORITY,CONTAINER_PARTIAL_MESSAGE"


def read_journal(container: Held, options: LogOptions) -> Iterator[LogLine]:
    """Yield the log lines of a container; with `follow`, until its monitor has ended, or it is `options.until`.

    Raises NotSupportedError without journalctl, RuntimeFailedError if it fails, BrokenPipeError when nobody reads from
    `options.output` any more.
    """
    log = _Log(container, options)
    if options.tail < 0:
        yield from log.stored()
    else:
        yield from log.last(options.tail)
    if options.follow:
        yield from log.follow()


class _Log:
    """One container's entries; remembers up to which one they were read."""

    def __init__(self, container: Held, options: LogOptions) -> None:
        self._container = container
        self._options = options
        self._cursor = ""
        # The second field is the kernel's word: others can write into the journal, too.
        ours = (f"CONTAINER_ID_FULL={container.id}", f"_UID={container.engine.paths.uid}")
        form = ("--output=json", f"--output-fields={_FIELDS}", "--all", "--no-pager", "--quiet")
        self._command = [_journalctl(), *form, *ours]

    def stored(self) -> Iterator[LogLine]:
        """Yield the entries behind the last one read, oldest first."""
        yield from self._read([*self._start(), *self._end()])

    def last(self, wanted: int) -> Iterator[LogLine]:
        """Yield the last `wanted` lines without reading what is before them."""
        found, whole = [], 0
        newest = ""
        for line in self._read([*self._start(), *self._end(), "--reverse"]):
            newest = newest or self._cursor
            found.append(line)
            whole += not line.partial
            if whole > wanted:
                break
        self._cursor = newest
        return last_lines(reversed(found), wanted)

    def follow(self) -> Iterator[LogLine]:
        """Yield what comes after, until the container has ended and its last line was read, or it is time to stop."""
        while is_written(self._container) and not _is_over(self._options.until):
            monitor = pids.open_pidfd(self._container.row.conmon_pid, self._container.row.conmon_start)
            if monitor < 0:  # it has ended just now
                break
            try:
                yield from self._read([*self._start(), "--follow", "--no-tail"], monitor)
            finally:
                os.close(monitor)
        yield from self.stored()  # what a journalctl on a busy machine hadn't told when it was ended

    def _start(self) -> list[str]:
        if self._cursor:
            return [f"--after-cursor={self._cursor}"]
        return [f"--since=@{_seconds(self._options.since)}"] if self._options.since else []

    def _end(self) -> list[str]:
        return [f"--until=@{_seconds(self._options.until)}"] if self._options.until else []

    def _read(self, words: Sequence[str], monitor: int = -1) -> Iterator[LogLine]:
        options = self._options
        with _Journal([*self._command, *words]) as journal:
            for raw in journal.lines(options, monitor):
                entry = fastjson.loads(raw.decode("utf-8", "replace"))
                self._cursor = entry.get("__CURSOR", self._cursor)
                if entry.get("MESSAGE") is not None and in_range(line := _line(entry), options):
                    yield line


def _seconds(nanoseconds: int) -> str:
    """Return a time for --since=@ and --until=@, which take microseconds."""
    return f"{nanoseconds // _NANO}.{nanoseconds % _NANO // 1000:06d}"


def _is_over(until: int) -> bool:
    return bool(until) and time_ns() > until


def _journalctl() -> str:
    try:
        return process.find("journalctl")
    except NotFoundError:
        raise NotSupportedError(
            "the container's log is in the journal, and journalctl isn't there to read it",
            hint="Use --log-driver=k8s-file",
        ) from None


class _Journal:
    """A context with a journalctl to read from; its end ends the program."""

    def __init__(self, command: list[str]) -> None:
        self._stream, theirs = process.pipe()
        self._complaints, their_error = process.pipe()
        try:
            self._pid = process.spawn(command, stdin=-1, stdout=theirs, stderr=their_error)
        except BaseException:
            os.close(self._stream)
            os.close(self._complaints)
            raise
        finally:
            os.close(theirs)
            os.close(their_error)

    def __enter__(self) -> _Journal:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        os.close(self._stream)
        os.close(self._complaints)
        if self._pid:
            os.kill(self._pid, _SIGTERM)
            process.wait(self._pid)

    def lines(self, options: LogOptions, monitor: int) -> Iterator[bytes]:
        """Yield lines until end of file; while a `monitor` is followed (a pidfd), until it has ended and nothing comes
        any more, or it is `options.until`.
        """
        output = options.output if monitor >= 0 else -1
        until = options.until if monitor >= 0 else 0
        rest, patience = b"", None
        while not _is_over(until):
            left = (until - time_ns()) / _NANO if until and patience is None else patience
            ready = wait_readable((self._stream, monitor), left, output=output)
            if not ready:
                return
            if monitor in ready:
                monitor, patience = -1, _LAST_WORDS
            if self._stream in ready:
                piece = os.read(self._stream, _BLOCK)
                if not piece:
                    self._check()
                    return
                *whole, rest = (rest + piece).split(b"\n")
                yield from whole

    def _check(self) -> None:
        """Raise RuntimeFailedError if journalctl has failed."""
        pid, self._pid = self._pid, 0
        code = process.wait(pid)
        said = process.read_all(os.dup(self._complaints)).splitlines()
        if code:
            raise RuntimeFailedError(f"journalctl: {said[-1] if said else f'it ended with {code}'}")


def _line(entry: dict[str, Any]) -> LogLine:
    message = entry["MESSAGE"]
    # journalctl prints a field that isn't UTF-8 text as an array of bytes (systemd.journal-fields, JSON format).
    text = bytes(message) if isinstance(message, list) else str(message).encode()
    seconds, micro = divmod(int(entry.get("__REALTIME_TIMESTAMP", 0)), _MICRO)
    partial = entry.get("CONTAINER_PARTIAL_MESSAGE") == "true"
    return LogLine(
        time=strftime("%Y-%m-%dT%H:%M:%S", gmtime(seconds)) + f".{micro:06d}000Z",
        stream="stderr" if entry.get("PRIORITY") == _ERROR_PRIORITY else "stdout",
        partial=partial,
        text=text if partial else text.removesuffix(b"\n"),  # conmon 2.1's entries have the line's end in them
    )
