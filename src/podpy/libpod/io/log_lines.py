"""An entry of a container's log in conmon's file formats, and the options of reading."""

from __future__ import annotations

from podpy.record import Record


class LogLine(Record):
    """One entry: a line, or (`partial`) a piece of one, which the stream's next entry continues."""

    time: str  # RFC 3339 with nanoseconds and the writer's offset
    stream: str  # stdout or stderr
    partial: bool
    text: bytes  # without the line end


class LogOptions(Record):
    """What to read. `since` and `until` are nanoseconds since 1970 (0: no bound); tail -1 is everything.

    `output`: whoever follows gets a BrokenPipeError when nobody reads any more from this descriptor.
    """

    follow: bool = False
    tail: int = -1
    since: int = 0
    until: int = 0
    output: int = -1


def parse_k8s_line(raw: bytes) -> LogLine | None:
    """Parse a k8s-file line; None if it isn't one."""
    parts = raw.rstrip(b"\n").split(b" ", 3)
    if len(parts) < 4:
        return None
    time, stream, tag, text = parts
    return LogLine(
        time=time.decode("ascii", "replace"), stream=stream.decode("ascii", "replace"), partial=tag == b"P", text=text
    )


def parse_json_line(raw: bytes) -> LogLine | None:
    """Parse a json-file line (Docker's json-file driver); None if it isn't one."""
    from podpy import fastjson

    try:
        entry = fastjson.loads(raw.decode("utf-8", "surrogateescape"))
        text = entry["log"].encode("utf-8", "surrogateescape")
        return LogLine(
            time=entry["time"], stream=entry["stream"], partial=not text.endswith(b"\n"), text=text.rstrip(b"\n")
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
