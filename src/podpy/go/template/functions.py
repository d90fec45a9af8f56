"""The functions that a template can call: text/template's own and those that Podman adds."""

from __future__ import annotations

from podpy.go.template.printf import sprintf
from podpy.go.template.values import NO_VALUE, Map, NoValue, Struct, text_of, truth

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class FunctionError(Exception):
    """A function got arguments that it can't use; the evaluator adds the position in the template."""


def _json(value: Any) -> str:
    from podpy.go.json import compact

    return compact(None if isinstance(value, NoValue) else value)


def _join(items: Any, separator: str) -> str:
    if items is None:
        return ""
    if not isinstance(items, list | tuple):
        raise FunctionError(f"join needs a list, this is {_kind(items)}")
    if not all(isinstance(item, str) for item in items):
        raise FunctionError("join needs a list of strings")
    return _string(separator, "join").join(items)


def _split(text: str, separator: str) -> list[str]:
    return _string(text, "split").split(separator) if separator else list(text)


def _title(text: str) -> str:
    result = []
    before = " "
    for char in _string(text, "title"):
        result.append(char if before.isalnum() or before in "_'" else char.upper())
        before = char
    return "".join(result)


def _string(value: Any, function: str) -> str:
    if not isinstance(value, str):
        raise FunctionError(f"{function} needs a string, this is {_kind(value)}")
    return value


def _kind(value: Any) -> str:
    if isinstance(value, Struct):
        return "a struct"
    names = {"dict": "a map", "list": "a list", "str": "a string", "int": "a number", "float": "a number"}
    return names.get(type(value).__name__, text_of(value))


def _length(value: Any) -> int:
    if isinstance(value, str):
        return len(value.encode("utf-8", "surrogateescape"))
    if isinstance(value, list | tuple) or (isinstance(value, dict) and not isinstance(value, Struct)):
        return len(value)
    if value is None:
        return 0
    raise FunctionError(f"len needs a string, a list or a map, this is {_kind(value)}")


def _index(value: Any, *keys: Any) -> Any:
    for key in keys:
        if isinstance(value, Struct):
            raise FunctionError("index can't be used with a struct: write the field's name behind a dot")
        if isinstance(value, dict):
            value = value.get(key, _zero(value))
        elif isinstance(value, list | tuple | str):
            if isinstance(key, bool) or not isinstance(key, int):
                raise FunctionError(f"index {text_of(key)} isn't a number")
            if not 0 <= key < len(value):
                raise FunctionError(f"index out of range: {key} (there are {len(value)})")
            value = value[key] if not isinstance(value, str) else ord(value[key])
        elif value is None or isinstance(value, NoValue):
            raise FunctionError("index of a nil value")
        else:
            raise FunctionError(f"index needs a list or a map, this is {_kind(value)}")
    return value


def _zero(value: dict[Any, Any]) -> Any:
    """Return the zero value of a map's elements, if the map knows it."""
    if isinstance(value, Map):
        return value.zero
    return "" if all(isinstance(item, str) for item in value.values()) else NO_VALUE


def _slice(value: Any, *bounds: int) -> Any:
    if not isinstance(value, list | tuple | str):
        raise FunctionError(f"slice needs a list or a string, this is {_kind(value)}")
    start = bounds[0] if bounds else 0
    end = bounds[1] if len(bounds) > 1 else len(value)
    if not 0 <= start <= end <= len(value):
        raise FunctionError(f"slice bounds out of range: {start}:{end} (there are {len(value)})")
    return value[start:end]


def _printf(format_text: str, *arguments: Any) -> str:
    return sprintf(_string(format_text, "printf"), arguments)


def _print(*arguments: Any) -> str:
    parts: list[str] = []
    for place, item in enumerate(arguments):
        # fmt.Sprint puts a space between two operands if neither is a string.
        if place and not isinstance(item, str) and not isinstance(arguments[place - 1], str):
            parts.append(" ")
        parts.append(text_of(item))
    return "".join(parts)


def _println(*arguments: Any) -> str:
    return " ".join(text_of(item) for item in arguments) + "\n"


def _basic(value: Any) -> str:
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "int"
    if isinstance(value, float):
        return "float"
    if isinstance(value, str):
        return "string"
    return "other"


def _equal(first: Any, *others: Any) -> bool:
    if not others:
        raise FunctionError("eq needs two values")
    for other in others:
        if first is None or other is None or isinstance(first, NoValue) or isinstance(other, NoValue):
            if (first is None or isinstance(first, NoValue)) and (other is None or isinstance(other, NoValue)):
                return True
            continue
        if _basic(first) != _basic(other):
            raise FunctionError(f"eq: {_kind(first)} and {_kind(other)} can't be compared")
        if first == other:
            return True
    return False


def _not_equal(first: Any, second: Any) -> bool:
    return not _equal(first, second)


def _less(first: Any, second: Any) -> bool:
    if _basic(first) != _basic(second) or _basic(first) in ("bool", "other"):
        raise FunctionError(f"lt: {_kind(first)} and {_kind(second)} can't be compared")
    return bool(first < second)


def _pad(text: str, before: int, after: int) -> str:
    return " " * before + text + " " * after if text else text


def _truncate(text: str, length: int) -> str:
    return _string(text, "truncate")[:length]


def _html(*arguments: Any) -> str:
    text = _print(*arguments)
    for char, entity in (("&", "&amp;"), ("'", "&#39;"), ('"', "&#34;"), ("<", "&lt;"), (">", "&gt;")):
        text = text.replace(char, entity)
    return text


# The evaluator has `and` and `or`, which don't evaluate all their arguments.
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "and": lambda *_: None,
    "or": lambda *_: None,
    "not": lambda value: not truth(value),
    "eq": _equal,
    "ne": _not_equal,
    "lt": _less,
    "le": lambda a, b: not _less(b, a),
    "gt": lambda a, b: _less(b, a),
    "ge": lambda a, b: not _less(a, b),
    "len": _length,
    "index": _index,
    "slice": _slice,
    "print": _print,
    "printf": _printf,
    "println": _println,
    "html": _html,
    "json": _json,
    "join": _join,
    "split": _split,
    "lower": lambda text: _string(text, "lower").lower(),
    "upper": lambda text: _string(text, "upper").upper(),
    "title": _title,
    "pad": _pad,
    "truncate": _truncate,
}
