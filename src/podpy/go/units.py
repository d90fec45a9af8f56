"""Sizes and times as Podman prints them (the rules of github.com/docker/go-units)."""

from __future__ import annotations

_DECIMAL = ("B", "kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB")
_BINARY = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB")
_MINUTE = 60
_HOUR = 3600


def human_size(size: float, *, precision: int = 4, blank: bool = False) -> str:
    """Return bytes in decimal units: "1.234MB"; `images` puts a space before the unit and uses a precision of 3."""
    return _size(size, 1000, _DECIMAL, precision, " " if blank else "")


def binary_size(size: float) -> str:
    """Return bytes in binary units: "1.5MiB"."""
    return _size(size, 1024, _BINARY, 4, "")


def _size(size: float, base: int, units: tuple[str, ...], precision: int, blank: str) -> str:
    place = 0
    while size >= base and place < len(units) - 1:
        size /= base
        place += 1
    return f"{size:.{precision}g}{blank}{units[place]}"


def human_duration(seconds: float) -> str:
    """Return a span of time in words: "2 minutes", "About an hour"."""
    whole = int(seconds)
    if whole < 1:
        return "Less than a second"
    if whole < _MINUTE:
        return "1 second" if whole == 1 else f"{whole} seconds"
    minutes = whole // _MINUTE
    if minutes < _MINUTE:
        return "About a minute" if minutes == 1 else f"{minutes} minutes"
    hours = int(seconds / _HOUR + 0.5)
    if hours == 1:
        return "About an hour"
    for limit, divisor, name in (
        (48, 1, "hours"),
        (24 * 7 * 2, 24, "days"),
        (24 * 30 * 2, 24 * 7, "weeks"),
        (24 * 365 * 2, 24 * 30, "months"),
    ):
        if hours < limit:
            return f"{hours // divisor} {name}"
    return f"{int(seconds / _HOUR) // 24 // 365} years"


def ago(then_ns: int, now_ns: int) -> str:
    """Return how long ago a time (nanoseconds since 1970) was: "2 minutes ago"."""
    return human_duration((now_ns - then_ns) / 1e9) + " ago"
