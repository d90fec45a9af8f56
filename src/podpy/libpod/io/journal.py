"""Reads the log of a container with the log driver journald, by journalctl(1): the format is systemd's own."""

from __future__ import annotations

import os

from podpy import pids, process
from podpy.errors import NotFoundError, NotSupportedError
from podpy.libpod.io.log_lines import LogLine, LogOptions
from podpy.polling import wait_readable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType
    from typing import Any

    from podpy.libpod.containers.held import Held

_SIGTERM = 15
_MICRO = 1_000_000
_BLOCK = 1 << 16
_LAST_WORDS = 0.5  # seconds that the journal may take for conmon's last entries
_ERROR_PRIORITY = "3"  # conmon writes stderr with this priority, stdout with 6 (syslog(3))


def read_journal(container: Held, options: LogOptions) -> Iterator[LogLine]:
    """Yield the log lines of a container; with `follow`, until its monitor has ended.

    Raises NotSupportedError without journalctl.
    """
    command = [_journalctl(), "--output=json", "--all", "--no-pager", f"CONTAINER_ID_FULL={container.id}"]
    if options.tail >= 0:
        command.append(f"--lines={options.tail}")
    if options.since:
        command.append(f"--since=@{options.since // 1_000_000_000}")
    if options.until:
        command.append(f"--until=@{options.until // 1_000_000_000}")
    monitor = pids.open_pidfd(container.row.conmon_pid, container.row.conmon_start) if options.follow else -1
    if monitor >= 0:  # else it has ended, and --follow would wait forever
        command.append("--follow")
    cursor = ""
    try:
        for entry in _entries(command, monitor, options.output if options.follow else -1):
            cursor = entry.get("__CURSOR", cursor)
            yield from _lines_of(entry)
    finally:
        if monitor >= 0:
            os.close(monitor)
    if monitor >= 0:  # what a journalctl on a busy machine hadn't told when it was ended
        for entry in _entries(_further(command, cursor)):
            yield from _lines_of(entry)


def _further(command: list[str], cursor: str) -> list[str]:
    """Return a command line for what comes behind an entry of the journal, or for everything, and nothing later."""
    left_out = ("--follow", "--lines=", "--since=") if cursor else ("--follow",)
    rest = [word for word in command if not word.startswith(left_out)]
    return [*rest, f"--after-cursor={cursor}"] if cursor else rest


def _entries(command: list[str], monitor: int = -1, output: int = -1) -> Iterator[dict[str, Any]]:
    import json

    with _Journal(command) as stream:
        for raw in _lines(stream, monitor, output):
            yield json.loads(raw)


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
        try:
            self._pid = process.spawn(command, stdin=-1, stdout=theirs, stderr=-1)
        except BaseException:
            os.close(self._stream)
            raise
        finally:
            os.close(theirs)

    def __enter__(self) -> int:
        return self._stream

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        os.close(self._stream)
        os.kill(self._pid, _SIGTERM)
        process.wait(self._pid)


def _lines(stream: int, monitor: int, output: int) -> Iterator[bytes]:
    """Yield lines until end of file; or, once the process of the pidfd `monitor` has ended, until nothing comes.

    Raises BrokenPipeError when nobody reads from `output` any more.
    """
    rest, patience = b"", None
    while ready := wait_readable((stream, monitor), patience, output=output):
        if monitor in ready:
            monitor, patience = -1, _LAST_WORDS
        if stream in ready:
            piece = os.read(stream, _BLOCK)
            if not piece:
                return
            *whole, rest = (rest + piece).split(b"\n")
            yield from whole


def _lines_of(entry: dict[str, Any]) -> Iterator[LogLine]:
    if "MESSAGE" in entry:
        yield _line(entry)


def _line(entry: dict[str, Any]) -> LogLine:
    from time import gmtime, strftime

    message = entry["MESSAGE"]
    # journalctl prints a field that isn't UTF-8 text as an array of bytes (systemd.journal-fields, JSON format).
    text = bytes(message) if isinstance(message, list) else str(message).encode()
    seconds, micro = divmod(int(entry.get("__REALTIME_TIMESTAMP", 0)), _MICRO)
    return LogLine(
        time=strftime("%Y-%m-%dT%H:%M:%S", gmtime(seconds)) + f".{micro:06d}000Z",
        stream="stderr" if entry.get("PRIORITY") == _ERROR_PRIORITY else "stdout",
        partial=entry.get("CONTAINER_PARTIAL_MESSAGE") == "true",
        text=text,
    )
