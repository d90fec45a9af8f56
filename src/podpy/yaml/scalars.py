"""The meaning of an unquoted scalar, by the rules of Podman's reader (gopkg.in/yaml.v3, then JSON).

They are YAML 1.2 with some of 1.1: only true and false are booleans (`on` and `yes` are texts), 0755 is octal, 1_000 is
a number, 12:30 is a text, and a date becomes a time. In a text's field a number becomes its decimal text: 0755 is
"493", 1e3 is "1000".
"""

from __future__ import annotations

import re
from datetime import datetime

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.yaml.places import Plain

_WORDS: dict[str, bool | float | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), float("inf")),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), float("-inf")),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
}
_INTEGER = re.compile(r"([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+)|([1-9][0-9]*|0))", re.ASCII)
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?", re.ASCII)
_TIME = re.compile(
    r"(\d{4})-(\d{1,2})-(\d{1,2})(?:(?:[Tt]| +)(\d{1,2}):(\d{1,2}):(\d{1,2})(\.\d{1,9})?(Z|[-+]\d\d:\d\d)?)?", re.ASCII
)
_INFINITE = float("inf")
_LONGEST = 70  # characters of a number, in any base
_MOST = 2**64  # one more than Go's largest unsigned number
_EXPONENT = 6  # Go's shortest form has an exponent below this many zeros


def resolve(plain: Plain | str) -> str | int | float | bool | None:
    """Return the value of an unquoted scalar."""
    text = str(plain)
    if text in _WORDS:
        return _WORDS[text]
    if text[0] not in "0123456789+-.":
        return text
    if (time := _time(text)) is not None:
        return time
    digits = text.replace("_", "")
    if len(digits) <= _LONGEST and (found := _INTEGER.fullmatch(digits)):
        whole = _integer(found)
        if -_MOST // 2 <= whole < _MOST:
            return whole
    number = float(digits) if _FLOAT.fullmatch(digits) else _INFINITE
    return text if number in (_INFINITE, -_INFINITE) else number


def text_of(value: str | int | float | bool | None) -> str:
    """Return a value's text for a field that is a text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return _go_float(value) if isinstance(value, float) else str(value)


def _integer(found: re.Match[str]) -> int:
    sign, *numbers = found.groups()
    number = next(int(digits, base) for digits, base in zip(numbers, (16, 2, 8, 10), strict=True) if digits)
    return -number if sign == "-" else number


def _time(text: str) -> str | None:
    """Return a date or time as Go writes it (RFC 3339), or None for another text."""
    found = _TIME.fullmatch(text)
    if found is None:
        return None
    *numbers, fraction, zone = found.groups()
    year, month, day, hour, minute, second = (int(number or 0) for number in numbers)
    try:
        when = datetime(year, month, day, hour, minute, second)
    except ValueError:
        return None
    fraction = (fraction or "").rstrip("0").rstrip(".")
    return f"{when:%Y-%m-%dT%H:%M:%S}{fraction}{zone or 'Z'}"


def _go_float(value: float) -> str:
    """Return a number as Go's strconv.FormatFloat(value, 'g', -1, 64)."""
    mantissa, _, exponent = f"{value!r}".partition("e")
    if "n" in mantissa:  # inf, nan
        return {"inf": "+Inf", "-inf": "-Inf"}.get(mantissa, "NaN")
    sign = "-" if mantissa.startswith("-") else ""
    whole, _, rest = mantissa.removeprefix("-").partition(".")
    rest = rest.rstrip("0")
    digits = (whole + rest).lstrip("0")
    if not digits:
        return f"{sign}0"
    place = len(whole) + int(exponent or 0) - (len(whole + rest) - len(digits)) - 1  # the first digit's exponent
    digits = digits.rstrip("0")
    if -5 < place < _EXPONENT:
        if place < 0:
            return f"{sign}0.{'0' * (-place - 1)}{digits}"
        digits = digits.ljust(place + 1, "0")
        return f"{sign}{digits[: place + 1]}" + (f".{digits[place + 1 :]}" if digits[place + 1 :] else "")
    fraction = f".{digits[1:]}" if digits[1:] else ""
    return f"{sign}{digits[0]}{fraction}e{'-' if place < 0 else '+'}{abs(place):02d}"
