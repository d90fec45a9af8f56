"""`$NAME` and `${NAME…}` in a compose file's values (compose specification, 12-interpolation)."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_FIRST = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_")
_NAME = _FIRST | frozenset("0123456789")
_MODIFIERS = (":-", ":?", ":+", "-", "?", "+")
_DEEPEST = 50  # forms in forms


def interpolate(text: str, variables: Mapping[str, str], unset: Callable[[str], None], depth: int = 0) -> str:
    """Return a text with its variables replaced; `$$` is a dollar sign, and one that begins no name stays.

    `unset` is told the name of each variable that isn't set and has no default; it counts as empty.
    Raises ValueError for a form that there isn't, and for a variable that must be set.
    """
    if depth > _DEEPEST:
        raise ValueError("variables in variables in variables …")
    parts, at = [], 0
    while (sign := text.find("$", at)) >= 0:
        parts.append(text[at:sign])
        following = text[sign + 1 : sign + 2]
        if following == "$":
            parts.append("$")
            at = sign + 2
        elif following == "{":
            end = _closing(text, sign + 2)
            parts.append(_braced(text[sign + 2 : end], variables, unset, depth))
            at = end + 1
        elif following and following in _FIRST:
            at = _end_of_name(text, sign + 1)
            parts.append(_value(text[sign + 1 : at], variables, unset))
        else:
            parts.append("$")
            at = sign + 1
    return "".join([*parts, text[at:]])


def _end_of_name(text: str, at: int) -> int:
    while at < len(text) and text[at] in _NAME:
        at += 1
    return at


def _closing(text: str, at: int) -> int:
    """Return where the brace is that closes the one before `at`."""
    depth = 1
    for place in range(at, len(text)):
        if text[place] == "{" and text[place - 1] == "$":
            depth += 1
        elif text[place] == "}":
            depth -= 1
            if not depth:
                return place
    raise ValueError(f"${{{text[at:]}: the brace isn't closed")


def _braced(inner: str, variables: Mapping[str, str], unset: Callable[[str], None], depth: int) -> str:
    end = _end_of_name(inner, 0)
    name, rest = inner[:end], inner[end:]
    if not name or inner[0] not in _FIRST:
        raise ValueError(f"${{{inner}}}: not the name of a variable")
    if not rest:
        return _value(name, variables, unset)
    modifier = next((each for each in _MODIFIERS if rest.startswith(each)), "")
    if not modifier:
        raise ValueError(f"${{{inner}}}: there is no such form")
    word = rest[len(modifier) :]
    is_set = bool(variables.get(name)) if modifier[0] == ":" else name in variables
    kind = modifier[-1]
    if kind == "+":
        return interpolate(word, variables, unset, depth + 1) if is_set else ""
    if is_set:
        return variables[name]
    word = interpolate(word, variables, unset, depth + 1)
    if kind == "?":
        raise ValueError(f"required variable {name} is missing a value{f': {word}' if word else ''}")
    return word


def _value(name: str, variables: Mapping[str, str], unset: Callable[[str], None]) -> str:
    if name not in variables:
        unset(name)
    return variables.get(name, "")
