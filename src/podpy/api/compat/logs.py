"""`GET /containers/{id}/logs`: what a container has written, in frames unless it has a terminal."""

from __future__ import annotations

from time import time_ns

from podpy.api.errors import HttpError
from podpy.api.frames import content_type, frame
from podpy.errors import NotSupportedError
from podpy.libpod.filters.times import parse_time
from podpy.libpod.io.log_lines import LogOptions
from podpy.times import nanoseconds, rfc3339

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from podpy.api.call import Call
    from podpy.libpod.io.log_lines import LogLine

_STREAMS = {"stdout": 1, "stderr": 2}
_NO_TIME = "0001-01-01T00:00:00"  # Go's zero time, which Podman's clients send
_BATCH = 32 << 10  # bytes that are sent together


def logs(call: Call) -> None:
    """Send the log; with `follow`, also what comes."""
    query = call.query
    wanted = {_STREAMS[name] for name in _STREAMS if query[name]}
    if not wanted:
        raise HttpError(400, "Bad parameters: you must choose at least one stream")
    container = call.runtime.container(call.path["id"].removeprefix("/"))
    lines = read(call, container, follow=query["follow"])
    tty = container.spec.tty
    details = _details(container.spec.log_options) if query["details"] else b""
    call.connection.begin(200, [("Content-Type", content_type(call.version, tty=tty))])
    pieces = texts(lines, wanted, tty=tty, times=query["timestamps"], prefix=details)
    if query["follow"]:
        for piece in pieces:
            call.connection.write(piece)
    else:
        batch = bytearray()
        for piece in pieces:
            batch += piece
            if len(batch) >= _BATCH:
                call.connection.write(bytes(batch))
                batch.clear()
        call.connection.write(bytes(batch))
    call.connection.end()


def read(call: Call, container: object, *, follow: bool) -> Iterator[LogLine]:
    """Return the lines that the parameters `since`, `until` and `tail` choose. Raises HttpError."""
    from podpy.libpod.containers.container import Container

    assert isinstance(container, Container)
    query = call.query
    options = LogOptions(
        follow=follow,
        tail=_tail(query.get("tail", "all")),
        since=_time(query.get("since", "")),
        until=_time(query.get("until", "")),
        output=call.connection.socket.fileno(),
    )
    try:
        return container.logs(options)
    except NotSupportedError:
        raise HttpError(501, "configured logging driver does not support reading") from None


def texts(
    lines: Iterator[LogLine], wanted: set[int], *, tty: bool, times: bool = False, prefix: bytes = b""
) -> Iterator[bytes]:
    """Yield what is sent for log lines of the `wanted` streams (1, 2): a frame for each, or its bytes with `tty`."""
    within = set[int]()  # streams in the middle of a line
    for line in lines:
        stream = _STREAMS.get(line.stream, 1)
        if stream not in wanted:
            continue
        head = b"" if stream in within else _head(line, times=times) + prefix
        data = head + line.text + (b"" if line.partial else b"\n")
        (within.add if line.partial else within.discard)(stream)
        yield data if tty else frame(stream, data)


def _head(line: LogLine, *, times: bool) -> bytes:
    """Return the time of a line: RFC 3339 in UTC with nine digits, as dockerd writes it."""
    if not times:
        return b""
    at = nanoseconds(line.time)
    whole = rfc3339(at - at % 1_000_000_000, utc=True).removesuffix("Z")
    return f"{whole}.{at % 1_000_000_000:09d}Z ".encode()


def _details(options: dict[str, str]) -> bytes:
    shown = ",".join(f"{key}={value}" for key, value in sorted(options.items()) if key in ("labels", "env", "tag"))
    return shown.encode() + b" "


def _tail(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() else -1


def _time(text: str) -> int:
    if text in ("", "0") or text.startswith(_NO_TIME):
        return 0
    found = parse_time(text)
    return found if found > 0 else time_ns()
