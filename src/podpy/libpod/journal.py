"""Read the log of a container whose log driver is journald, by journalctl(1): the journal's format is systemd's own."""

from __future__ import annotations

import os

from podpy.errors import NotSupportedError
from podpy.libpod.logs import LogLine, LogOptions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from podpy.libpod.container import Container

_MICRO = 1_000_000
_ERROR_PRIORITY = "3"  # conmon writes stderr with this priority, stdout with 6 (syslog(3))


def read_journal(container: Container, options: LogOptions) -> Iterator[LogLine]:
    """Yield the log lines of a container. Raises NotSupportedError without journalctl."""
    import json
    import subprocess

    command = ["journalctl", "--output=json", "--all", "--no-pager", f"CONTAINER_ID_FULL={container.id}"]
    if options.tail >= 0:
        command.append(f"--lines={options.tail}")
    if options.since:
        command.append(f"--since=@{options.since // 1_000_000_000}")
    if options.until:
        command.append(f"--until=@{options.until // 1_000_000_000}")
    if options.follow:
        command.append("--follow")
    try:
        journal = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    except FileNotFoundError:
        raise NotSupportedError(
            "the container's log is in the journal, and journalctl isn't there to read it",
            hint="Use --log-driver=k8s-file",
        ) from None
    assert journal.stdout is not None
    with journal:
        for raw in journal.stdout:
            entry = json.loads(raw)
            if "MESSAGE" in entry:
                yield _line(entry)
            if options.follow and not _is_alive(container):
                journal.terminate()


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


def _is_alive(container: Container) -> bool:
    row = container.row
    return os.path.exists(f"/proc/{row.pid}") and row.pid > 0
