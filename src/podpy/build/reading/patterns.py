r"""The patterns of `${name#pattern}` and its kin: `*`, `?`, and `\` before a character that is meant itself.

Brackets have no meaning (Dockerfile reference, "Environment replacement"). No regular expression with a `*` is made of
a pattern: such a one may take exponential time.
"""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_ESCAPABLE = "*?\\"
_DROPPED = "}/"  # these need a `\` to stand in `${…}`, and it is no part of the pattern


def without_prefix(value: str, pattern: str, *, longest: bool) -> str:
    """Return a value without what a pattern fits at its beginning. Raises ValueError for a wrong pattern."""
    end = _end(_parts(pattern), value, 0, longest=longest)
    return value if end is None else value[end:]


def without_suffix(value: str, pattern: str, *, longest: bool) -> str:
    """Return a value without what a pattern fits at its end. Raises ValueError for a wrong pattern."""
    backwards = [part[::-1] for part in _parts(pattern)[::-1]]
    end = _end(backwards, value[::-1], 0, longest=longest)
    return value if end is None else value[: len(value) - end]


def replaced(value: str, pattern: str, new: str, *, every: bool, most: int) -> str:
    """Return a value with the longest piece that a pattern fits replaced, from the left; `every`: all such pieces.

    Raises ValueError for a wrong pattern, OverflowError for a result of more than `most` characters.
    """
    parts = _parts(pattern)
    if parts == [[]]:
        return value
    first = _compiled(parts[0])
    result: list[str] = []
    room = most - len(value)
    position = 0
    while position < len(value):
        found = first.search(value, position)
        # If what comes after the first `*` isn't behind this place, it is behind no later one, either.
        end = _end(parts, value, found.start(), longest=True) if found else None
        if found is None or end is None:
            break
        result += [value[position : found.start()], new]
        position = end
        room -= len(new)
        if room < 0:
            raise OverflowError
        if not every:
            break
    return "".join([*result, value[position:]])


def _parts(pattern: str) -> list[list[str]]:
    """Return the pieces between a pattern's `*`: a character each, "" for `?`."""
    parts: list[list[str]] = [[]]
    position = 0
    while position < len(pattern):
        letter = pattern[position]
        position += 1
        if letter == "*":
            parts.append([])
        elif letter == "?":
            parts[-1].append("")
        elif letter == "\\":
            after = pattern[position : position + 1]
            position += 1
            if not after or after not in _ESCAPABLE + _DROPPED:
                raise ValueError(f"invalid escape '\\{after}'")
            parts[-1].append(after)
        else:
            parts[-1].append(letter)
    return parts


def _compiled(part: Sequence[str]) -> re.Pattern[str]:
    return re.compile("".join([re.escape(letter) or "." for letter in part]), re.DOTALL)


def _end(parts: Sequence[Sequence[str]], value: str, start: int, *, longest: bool) -> int | None:
    """Return where a match that begins at `start` ends, or None if there is none."""
    found = _compiled(parts[0]).match(value, start)
    if found is None:
        return None
    end = found.end()
    for number, part in enumerate(parts[1:], 2):
        expression = _compiled(part)
        if number == len(parts) and longest:
            return _last_end(expression, len(part), value, end)
        found = expression.search(value, end)
        if found is None:
            return None
        end = found.end()
    return end


def _last_end(expression: re.Pattern[str], length: int, value: str, least: int) -> int | None:
    for start in range(len(value) - length, least - 1, -1):
        if expression.match(value, start):
            return start + length
    return None
