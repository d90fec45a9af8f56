"""Points in time in --since and --until, by Podman's rules."""

from __future__ import annotations

from time import gmtime, mktime, time_ns

from podpy.errors import UsageError
from podpy.go import values
from podpy.numbers import whole
from podpy.times import SECOND, nanoseconds

_FURTHEST = ((1 << 63) - 1) // SECOND  # seconds that an int64 of nanoseconds holds, as Go's durations are


def parse_time(text: str, *, ahead: bool = False) -> int:
    """Return nanoseconds since 1970 for a Unix time (1700000000.5), an RFC 3339 time or the beginning of one (without
    an offset it is local), "now", or a Go duration (10m, 1h30m) before now. With `ahead` a duration is after now:
    Podman reads `--until=10m` so (pkg/util, ParseInputTime). Raises UsageError.
    """
    if text == "now":
        return time_ns()
    seconds, _, fraction = text.partition(".")
    number, part = whole(seconds, _FURTHEST), whole(fraction.ljust(9, "0")[:9], SECOND)
    if number is not None and part is not None:
        return number * SECOND + part
    duration = _duration(text)
    if duration is not None:
        return time_ns() + (duration if ahead else -duration)
    if text.isascii() and text[:4].isdigit():
        found = _parse_date(text)
        if found is not None:
            return found
    raise UsageError(
        f'parsing "{text}": unable to interpret time value', hint="Use 2024-01-02T15:04:05, a Unix time, or 10m"
    )


def _duration(text: str) -> int | None:
    try:
        return values.nanoseconds(text)
    except ValueError:
        return None


def _parse_date(text: str) -> int | None:
    date, _, clock = text.replace(" ", "T", 1).replace(",", ".").partition("T")  # ISO 8601's comma, as Go takes it
    parts = date.split("-")
    if len(parts) > 3 or not all(part.isdigit() for part in parts):
        return None
    date = "-".join([*parts, *["01"] * (3 - len(parts))])
    has_offset = clock.endswith(("Z", "z")) or "+" in clock or "-" in clock
    if has_offset:
        return nanoseconds(f"{date}T{clock}") or None
    pieces = (clock or "0").split(":")
    clock = ":".join([*pieces, *["00"] * (3 - len(pieces))])
    utc = nanoseconds(f"{date}T{clock}Z")
    if not utc:
        return None
    # mktime reads the fields as local time: a time without an offset is the user's local time.
    try:
        local = int(mktime((*gmtime(utc // SECOND)[:8], -1)))
    except (OverflowError, ValueError, OSError):  # years that the C library can't handle
        return None
    return local * SECOND + utc % SECOND
