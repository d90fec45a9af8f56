"""Small values: sizes, pairs, signals. Each parser takes the option's name, so that its error can say it."""

from __future__ import annotations

from podpy.errors import UsageError
from podpy.signals import number_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

# github.com/docker/go-units, RAMInBytes: powers of 1024, with or without a "b" or "ib" behind.
_POWERS = {"": 0, "b": 0, "k": 1, "m": 2, "g": 3, "t": 4, "p": 5}


def parse_size(option: str, text: str, base: int = 1024) -> int:
    """Return bytes of "512", "64m", "1.5GiB"; a k is `base` bytes. Raises UsageError."""
    lower = text.strip().lower()
    digits = lower.rstrip("bkmgtpi ")
    unit = lower[len(digits) :].strip()
    if len(unit) > 1:
        unit = unit.removesuffix("ib") if unit.endswith("ib") else unit.removesuffix("b")
    try:
        size = float(digits) * base ** _POWERS[unit]
    except (ValueError, KeyError):
        raise UsageError(
            f"invalid size {text!r} for {option}", hint="Give a number of bytes, or 64k, 512m, 2g"
        ) from None
    if not 0 <= size < 1 << 63:
        raise UsageError(f"invalid size {text!r} for {option}: it must be at least 0")
    return int(size)


def parse_signal(text: str) -> int:
    """Return a signal's number: a name with or without SIG, RTMIN+n, or the number. Raises UsageError."""
    number = number_of(text)
    if not number:
        raise UsageError("invalid signal: it is empty", hint="kill -l lists the names")
    return number


def parse_pairs(option: str, items: Iterable[str], *, need_value: bool = True) -> dict[str, str]:
    """Return a dictionary of KEY=VALUE texts; without `need_value`, KEY alone means an empty value."""
    result = {}
    for item in items:
        key, equals, value = item.partition("=")
        if not key or (need_value and not equals):
            raise UsageError(f"invalid value {item!r} for {option}", hint="It is KEY=VALUE")
        result[key] = value
    return result
