"""Checks an object's fields against the table of published ones, and converts each value to its field's type.

An unknown name is noted with its position and the nearest known name; `--validate` decides what follows. A name that
differs only in case is accepted, as in Podman. A value that can't be converted to its field's type is an error.
"""

from __future__ import annotations

import base64
import binascii

from podpy.kube.reading import schema_table
from podpy.record import Record
from podpy.suggest import near
from podpy.yaml.places import Mapping, Plain, Sequence, field, wrong
from podpy.yaml.scalars import resolve, text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_INT64 = 2**63


class Note(Record):
    """A note on a file for the user. `unknown`: it is about an unknown field, which `strict` refuses."""

    text: str  # "FILE:LINE: FIELD: what"
    unknown: bool = False


def check(value: Any, kind: str, file: str, notes: list[Note]) -> Mapping:
    """Return an object of type `kind` ("Pod") with typed values and paths; None values are omitted.

    Adds to `notes`. Raises UsageError for a value of the wrong type.
    """
    checked: Mapping = _Check(file, notes).struct(value, kind, "", value.line)
    return checked


class _Check:
    def __init__(self, file: str, notes: list[Note]) -> None:
        self._file = file
        self._notes = notes
        self._types = schema_table.fields()
        self._scalars: dict[str, Callable[[Any, str, int], Any]] = {
            "string": self._text,
            "int": self._int,
            "bool": self._bool,
            "bytes": self._bytes,
            "quantity": self._written,
            "time": self._written,
            "port": self._port,
            "any": self._any,
        }

    def value(self, value: Any, kind: str, path: str, line: int) -> Any:
        """Return a value, which isn't null, converted to `kind`."""
        if kind in self._scalars:
            return self._scalars[kind](value, path, line)
        if kind[0] == "[":
            return self._list(value, kind[1:-1], path, line)
        if kind[0] == "{":
            return self._map(value, kind[1:-1], path, line)
        return self.struct(value, kind, path, line)

    def struct(self, value: Any, kind: str, path: str, line: int) -> Mapping:
        known = self._types[kind]
        result = self._mapping(value, path, line)
        for key, item in value.items():
            where = value.lines[key]
            name = key if key in known else self._unknown(key, known, path, where)
            if name and not _is_null(item):
                result[name] = self.value(item, known[name], field(path, name), where)
                result.lines[name] = where
        return result

    def _unknown(self, key: str, known: dict[str, str], path: str, line: int) -> str:
        """Note an unknown field; return the known one that differs only in case, or ""."""
        alike = next((name for name in known if name.lower() == key.lower()), "")
        nearest = alike or next(iter(near(key, known)), "")
        text = "unknown field" + (f', did you mean "{nearest}"?' if nearest else "")
        self._notes.append(Note(text=str(wrong(self._file, line, field(path, key), text)), unknown=True))
        return alike

    def _mapping(self, value: Any, path: str, line: int) -> Mapping:
        if not isinstance(value, Mapping):
            raise self._wrong(value, path, line, "a mapping")
        return Mapping(self._file, line, path)

    def _list(self, value: Any, kind: str, path: str, line: int) -> Sequence:
        if not isinstance(value, Sequence):
            raise self._wrong(value, path, line, "a list")
        result = Sequence(self._file, line, path)
        result.lines = value.lines
        for index, item in enumerate(value):
            where = f"{path}[{index}]"
            if _is_null(item) and kind not in ("any", "string"):
                raise wrong(self._file, value.lines[index], where, "this item of the list is empty")
            result.append(self.value(item, kind, where, value.lines[index]))
        return result

    def _map(self, value: Any, kind: str, path: str, line: int) -> Mapping:
        result = self._mapping(value, path, line)
        result.lines = value.lines
        for key, item in value.items():
            result[key] = self.value("" if _is_null(item) else item, kind, field(path, key), value.lines[key])
        return result

    # Scalars

    def _text(self, value: Any, path: str, line: int) -> str:
        if not isinstance(value, str):
            raise self._wrong(value, path, line, "a text")
        if not isinstance(value, Plain):
            return value
        text = text_of(resolve(value))
        if text != value and value not in ("~", "null", "Null", "NULL"):
            told = f'{value} is read as "{text}"; write it in quotes'
            self._notes.append(Note(text=str(wrong(self._file, line, path, told))))
        return text

    def _int(self, value: Any, path: str, line: int) -> int:
        number = resolve(value) if isinstance(value, Plain) else value
        if isinstance(number, float) and number == number // 1 and abs(number) < _INT64:
            number = int(number)
        if isinstance(number, bool) or not isinstance(number, int):
            raise self._wrong(value, path, line, "a whole number")
        if not -_INT64 <= number < _INT64:
            raise wrong(self._file, line, path, f"{value} is too large")
        return number

    def _bool(self, value: Any, path: str, line: int) -> bool:
        found = resolve(value) if isinstance(value, Plain) else value
        if not isinstance(found, bool):
            raise self._wrong(value, path, line, "true or false")
        return found

    def _bytes(self, value: Any, path: str, line: int) -> bytes:
        text = self._text(value, path, line)
        try:
            return base64.b64decode("".join(text.split("\n")).replace("\r", ""), validate=True)
        except (binascii.Error, ValueError):
            raise wrong(self._file, line, path, "isn't base64", hint="Put plain text into stringData") from None

    def _written(self, value: Any, path: str, line: int) -> str:
        if not isinstance(value, str):
            raise self._wrong(value, path, line, "a number or a text")
        return str(value)

    def _port(self, value: Any, path: str, line: int) -> int | str:
        number = resolve(value) if isinstance(value, Plain) else value
        if isinstance(number, int) and not isinstance(number, bool):
            return number
        return self._written(value, path, line)

    def _any(self, value: Any, path: str, line: int) -> Any:
        """Return a value that isn't checked as plain data."""
        if isinstance(value, Mapping):
            return {key: self._any(item, path, line) for key, item in value.items()}
        if isinstance(value, Sequence):
            return [self._any(item, path, line) for item in value]
        return resolve(value) if isinstance(value, Plain) else value

    def _wrong(self, value: Any, path: str, line: int, wanted: str) -> Exception:
        return wrong(self._file, line, path, f"{wanted} is expected, not {_described(value)}")


def _is_null(value: Any) -> bool:
    return isinstance(value, Plain) and resolve(value) is None


def _described(value: Any) -> str:
    if isinstance(value, Mapping | Sequence):
        return "a mapping" if isinstance(value, Mapping) else "a list"
    if not isinstance(value, Plain) or isinstance(resolve(value), str):
        return f'the text "{value[:40]}"' + (" in quotes" if not isinstance(value, Plain) else "")
    return str(value)
