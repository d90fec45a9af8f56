"""Small values: sizes, pairs, signals. Each parser takes the option's name, for its error."""

from __future__ import annotations

from podpy.errors import UsageError
from podpy.signals import number_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

# github.com/docker/go-units, RAMInBytes: powers of 1024, with or without a final "b" or "ib".
_POWERS = {"": 0, "b": 0, "k": 1, "m": 2, "g": 3, "t": 4, "p": 5}


# Podman's words for an item that isn't KEY=VALUE.
_PAIRS = {
    "--annotation": "annotations must be formatted KEY=VALUE",
    "--label": 'unable to process labels: invalid label format: "{}"',
    "--log-opt": 'invalid log option "{}"',
    "--sysctl": "{} is invalid, sysctl values must be in the form of KEY=VALUE",
}


def parse_size(option: str, text: str, base: int = 1024) -> int:
    """Return the bytes of "512", "64m", "1.5GiB"; a k is `base` bytes. Raises UsageError."""
    lower = text.strip().lower()
    digits = lower.rstrip("bkmgtpi ")
    unit = lower[len(digits) :].strip()
    if len(unit) > 1:
        unit = unit.removesuffix("ib") if unit.endswith("ib") else unit.removesuffix("b")
    try:
        size = float(digits) * base ** _POWERS[unit]
    except (ValueError, KeyError):
        raise UsageError(
            f"{_about_size(option)}: invalid size: '{text}'", hint="Give a number of bytes, or 64k, 512m, 2g"
        ) from None
    if not 0 <= size < 1 << 63:
        raise UsageError(f"{_about_size(option)}: invalid size: '{text}'", hint="It must be at least 0")
    return int(size)


def _about_size(option: str) -> str:
    if option == "--shm-size":
        return "unable to translate --shm-size"
    return f"invalid value for {option.lstrip('-')}"


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
            raise UsageError(
                _PAIRS.get(option, 'invalid value "{}" for ' + option).format(item), hint="It is KEY=VALUE"
            )
        result[key] = value
    return result
