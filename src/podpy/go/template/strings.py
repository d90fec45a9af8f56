"""Go's string literals, both ways."""

from __future__ import annotations

import sys

_ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "\\": "\\", "'": "'", '"': '"'}
_NAMES = {value: key for key, value in _ESCAPES.items() if key != "'"}
_HEX_LENGTHS = {"x": 2, "u": 4, "U": 8}


def unquote(literal: str) -> str | int:
    """Return the value of a Go literal: a text in double or back quotes, a number in single ones. Raises ValueError."""
    quote, inner = literal[0], literal[1:-1]
    if quote == "`":
        return inner.replace("\r", "")
    value = _unescape(inner)
    if quote == "'":
        if len(value) != 1:
            raise ValueError(f"malformed character constant: {literal}")
        return ord(value)
    if "\n" in inner:
        raise ValueError("newline in a quoted string")
    return value


def _unescape(inner: str) -> str:
    parts: list[str] = []
    position = 0
    while position < len(inner):
        char = inner[position]
        if char != "\\":
            parts.append(char)
            position += 1
            continue
        code = inner[position + 1 : position + 2]
        length = _HEX_LENGTHS.get(code)
        if code in _ESCAPES and code:
            parts.append(_ESCAPES[code])
            position += 2
        elif length is not None:
            parts.append(_character(inner[position + 2 : position + 2 + length], 16, length))
            position += 2 + length
        elif code in tuple("01234567"):
            parts.append(_character(inner[position + 1 : position + 4], 8, 3))
            position += 4
        else:
            raise ValueError(f"unknown escape \\{code}")
    return "".join(parts)


def _character(digits: str, base: int, length: int) -> str:
    known = "0123456789abcdefABCDEF"[: 22 if base == 16 else base]
    value = int(digits, base) if len(digits) == length and all(digit in known for digit in digits) else -1
    if not 0 <= value <= sys.maxunicode:
        raise ValueError(f"bad escape: {digits}")
    return chr(value)


def quote(text: str) -> str:
    """Return a text as Go's %q prints it."""
    parts = ['"']
    for char in text:
        if char in _NAMES:
            parts.append("\\" + _NAMES[char])
        elif char.isprintable():
            parts.append(char)
        elif ord(char) < 0x80:
            parts.append(f"\\x{ord(char):02x}")
        else:
            parts.append(f"\\u{ord(char):04x}" if ord(char) < 0x10000 else f"\\U{ord(char):08x}")
    parts.append('"')
    return "".join(parts)
