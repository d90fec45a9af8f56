"""An entry of a container's log in conmon's file formats, the options of reading, and what they choose."""

from __future__ import annotations

from podpy.record import Record
from podpy.times import nanoseconds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


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


def in_range(line: LogLine, options: LogOptions) -> bool:
    """Return whether an entry is in the asked time span."""
    if not options.since and not options.until:
        return True
    at = nanoseconds(line.time)
    return at >= options.since and (not options.until or at <= options.until)


def last_lines(lines: Iterator[LogLine], wanted: int) -> Iterator[LogLine]:
    """Yield the last `wanted` whole lines with their pieces, and what follows them."""
    kept: list[LogLine] = []
    ends: list[int] = []  # the index in `kept` after each whole line
    for line in lines:
        kept.append(line)
        if not line.partial:
            ends.append(len(kept))
        if len(ends) > 2 * wanted + 1024:
            cut = ends[-wanted - 1]
            kept, ends = kept[cut:], [end - cut for end in ends if end > cut]
    start = ends[-wanted - 1] if len(ends) > wanted else 0
    return iter(kept[start:] if wanted else [])
