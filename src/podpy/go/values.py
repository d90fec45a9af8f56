"""Parsers of values with the rules of Go's strconv and pflag and of Docker's units. They raise ValueError."""

from __future__ import annotations

_TRUE = frozenset(("1", "t", "T", "TRUE", "true", "True"))
_FALSE = frozenset(("0", "f", "F", "FALSE", "false", "False"))
_UNIT_SECONDS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_UNIT_NANOSECONDS = {
    "ns": 1, "us": 1000, "µs": 1000, "μs": 1000, "ms": 1_000_000, "s": 1_000_000_000, "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}  # fmt: skip
_INT64 = 1 << 63


def boolean(text: str) -> bool:
    """Return what strconv.ParseBool returns."""
    if text in _TRUE:
        return True
    if text in _FALSE:
        return False
    raise _not_go("ParseBool", text)


def integer(text: str) -> int:
    """Return what strconv.ParseInt(text, 0, 64) returns: it knows 0x, 0o, 0b and a leading 0 (octal)."""
    sign = text[:1] if text[:1] in ("-", "+") else ""
    digits = text[len(sign) :]
    if len(digits) > 1 and digits[0] == "0" and digits[1].isdigit():
        digits = "0o" + digits[1:]
    if not digits[:1].isdigit() or not digits.isascii():
        raise _not_go("ParseInt", text)
    try:
        value = int(sign + digits, 0)
    except ValueError:
        raise _not_go("ParseInt", text) from None
    if not -_INT64 <= value < _INT64:
        raise _not_go("ParseInt", text, "value out of range")
    return value


def unsigned(text: str) -> int:
    """Return a whole number, at least 0."""
    if text[:1] in ("-", "+"):
        raise _not_go("ParseUint", text)
    return integer(text)


def real(text: str) -> float:
    """Return a finite number."""
    try:
        value = float(text)
    except ValueError:
        raise _not_go("ParseFloat", text) from None
    if value != value or value in (float("inf"), float("-inf")):
        raise _not_go("ParseFloat", text)
    return value


def _not_go(function: str, text: str, why: str = "invalid syntax") -> ValueError:
    """Return an error with the text of Go's strconv, which Podman prints."""
    return ValueError(f'strconv.{function}: parsing "{text}": {why}')


def retry_delay(text: str) -> float:
    """Return the seconds of Podman's retry delay: a duration, or a bare number of seconds; 0 if empty."""
    return float(text or 0) if not text or (text.isascii() and text.isdigit()) else duration(text)


def duration(text: str) -> float:
    """Return seconds of a Go duration ("1h30m", "250ms", "-1.5h"); a bare number is milliseconds, as in `wait`."""
    sign = -1.0 if text[:1] == "-" else 1.0
    rest = text.lstrip("+-") if text[:1] in ("+", "-") else text
    if rest.isascii() and rest.isdigit():
        return sign * int(rest) / 1000
    total = 0.0
    if not rest:
        raise ValueError(f'time: invalid duration "{text}"')
    while rest:
        end = 0
        while end < len(rest) and (rest[end].isdigit() or rest[end] == "."):
            end += 1
        unit_end = end
        while unit_end < len(rest) and not (rest[unit_end].isdigit() or rest[unit_end] == "."):
            unit_end += 1
        unit = _UNIT_SECONDS.get(rest[end:unit_end])
        try:
            total += float(rest[:end]) * (unit if unit is not None else _bad_unit())
        except ValueError:
            raise ValueError(f'time: invalid duration "{text}"') from None
        rest = rest[unit_end:]
    return sign * total


def _bad_unit() -> float:
    raise ValueError


def nanoseconds(text: str) -> int:
    """Return what time.ParseDuration returns, in nanoseconds: "1h30m", "1.5s", "0"; other numbers need a unit."""
    rest = text[1:] if text[:1] in ("-", "+") else text
    total = 0.0
    if not rest:
        raise ValueError(f'time: invalid duration "{text}"')
    if rest == "0":
        return 0
    while rest:
        end = len(rest) - len(rest.lstrip("0123456789."))
        unit_end = end
        while unit_end < len(rest) and rest[unit_end] not in "0123456789.":
            unit_end += 1
        number, unit = rest[:end], rest[end:unit_end]
        if not number.strip(".") or number.count(".") > 1:
            raise ValueError(f'time: invalid duration "{text}"')
        if not unit:
            raise ValueError(f'time: missing unit in duration "{text}"')
        if unit not in _UNIT_NANOSECONDS:
            raise ValueError(f'time: unknown unit "{unit}" in duration "{text}"')
        total += float(number) * _UNIT_NANOSECONDS[unit]
        rest = rest[unit_end:]
    if total >= _INT64:
        raise ValueError(f'time: invalid duration "{text}"')
    return int(-total if text[0] == "-" else total)


def unsigned_list(text: str) -> list[int]:
    """Return the whole numbers of a list separated by commas."""
    return [unsigned(item.strip()) for item in text.split(",")]


def split_csv(text: str) -> list[str]:
    """Return the fields of one line of CSV, as pflag's StringSlice does: quotes keep a comma in a field."""
    if text == "":
        return []
    if '"' not in text:
        return text.split(",")
    fields: list[str] = []
    position = 0
    while position <= len(text):
        if text[position : position + 1] == '"':
            field, position = _quoted(text, position + 1)
        else:
            end = text.find(",", position)
            end = len(text) if end < 0 else end
            field, position = text[position:end], end
            if '"' in field:
                raise ValueError('a quote (") in an unquoted field')
        fields.append(field)
        position += 1
    return fields


def _quoted(text: str, position: int) -> tuple[str, int]:
    field = ""
    while True:
        end = text.find('"', position)
        if end < 0:
            raise ValueError('a quote (") is missing at the end')
        field += text[position:end]
        if text[end + 1 : end + 2] != '"':
            if text[end + 1 : end + 2] not in ("", ","):
                raise ValueError('text after a closing quote (")')
            return field, end + 1
        field += '"'
        position = end + 2
