"""Types of JSON bodies, as data: what a handler reads is checked before it does, and can be described to clients.

str, int, float, bool   a value of that type; null stands for "not given" everywhere
ANY                     any value
[T]                     a list of T
{"*": T}                an object with any keys, whose values are T
{"name": T, …}          an object with these fields; others are ignored, as Docker does
Either(T, U)            a T or a U
"""

from __future__ import annotations

from podpy.api.errors import HttpError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

ANY = object
_WORDS = {str: "a string", int: "an integer", float: "a number", bool: "true or false"}
_LARGEST = 1 << 63


class Either:
    """One of several types."""

    def __init__(self, *types: Any) -> None:
        self.types = types


def check(value: Any, schema: Any, where: str = "") -> None:
    """Raise HttpError, which names the field and what it wants, if a JSON value isn't of this type."""
    if value is None or schema is ANY:
        return
    if isinstance(schema, Either):
        _check_either(value, schema, where)
    elif isinstance(schema, list):
        if not isinstance(value, list):
            raise _wrong(where, "a list")
        for number, each in enumerate(value):
            check(each, schema[0], f"{where}[{number}]")
            _refuse_null(each, schema[0], f"{where}[{number}]")
    elif isinstance(schema, dict):
        _check_object(value, schema, where)
    elif not _is_a(value, schema):
        raise _wrong(where, _WORDS[schema])


def _check_object(value: Any, schema: dict[str, Any], where: str) -> None:
    if not isinstance(value, dict):
        raise _wrong(where, "an object")
    before = f"{where}." if where else ""
    every = schema.get("*")
    for name, each in value.items():
        if every is not None:
            check(each, every, f"{before}{name}")
            _refuse_null(each, every, f"{before}{name}")
        elif name in schema:
            check(each, schema[name], f"{before}{name}")


def _refuse_null(value: Any, schema: Any, where: str) -> None:
    if value is None and schema in (str, int, float, bool):
        raise _wrong(where, _WORDS[schema])


def _check_either(value: Any, schema: Either, where: str) -> None:
    refused: HttpError | None = None
    for each in schema.types:
        try:
            check(value, each, where)
        except HttpError as error:
            refused = refused or error
        else:
            return
    if refused is not None:
        raise refused


def _is_a(value: Any, kind: type) -> bool:
    if isinstance(value, bool):
        return kind is bool
    if kind is float:
        return isinstance(value, int | float)
    if kind is int:
        return isinstance(value, int) and -_LARGEST <= value < _LARGEST
    return isinstance(value, kind)


def _wrong(where: str, wanted: str) -> HttpError:
    return HttpError(400, f"invalid JSON: {where or 'the body'} must be {wanted}")
