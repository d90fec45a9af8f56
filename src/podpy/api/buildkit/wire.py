"""Protobuf's encoding (protobuf.dev, "Encoding"), as far as BuildKit's messages need it.

A message is a dict by names of fields. A schema: number → (name, kind); a kind is TEXT, BYTES, NUMBER or another
schema, in a list if the field may come several times; PAIRS and DATA_PAIRS are maps. Unknown fields are skipped.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Schema = dict[int, tuple[str, Any]]

TEXT, BYTES, NUMBER = "text", "bytes", "number"
PAIRS, DATA_PAIRS = "pairs", "data-pairs"
_VARINT, _EIGHT, _LENGTH, _FOUR = 0, 1, 2, 5
_MOST = 10  # bytes of a number
_NEGATIVE = 1 << 64


class WireError(ValueError):
    """Bytes that are no message."""


def decode(data: bytes, schema: Schema) -> dict[str, Any]:
    """Return a message; a field that isn't there is the kind's own nothing. Raises WireError."""
    found = {name: _nothing(kind) for name, kind in schema.values()}
    place = 0
    while place < len(data):
        key, place = _number(data, place)
        value, place = _value(data, place, key & 7)
        known = schema.get(key >> 3)
        if known is not None:
            _put(found, *known, value)
    return found


def _nothing(kind: Any) -> Any:
    if isinstance(kind, list):
        return []
    if kind in (PAIRS, DATA_PAIRS):
        return {}
    return {TEXT: "", BYTES: b"", NUMBER: 0}.get(kind) if isinstance(kind, str) else None


def _put(found: dict[str, Any], name: str, kind: Any, value: int | bytes) -> None:
    if kind in (PAIRS, DATA_PAIRS):
        pair = decode(_bytes(value), {1: ("key", TEXT), 2: ("value", TEXT if kind == PAIRS else BYTES)})
        found[name][pair["key"]] = pair["value"]
    elif isinstance(kind, list):
        if kind[0] == NUMBER and isinstance(value, bytes):  # packed
            place = 0
            while place < len(value):
                one, place = _number(value, place)
                found[name].append(_signed(one))
        else:
            found[name].append(_read(kind[0], value))
    else:
        found[name] = _read(kind, value)


def _read(kind: Any, value: int | bytes) -> Any:
    if kind == NUMBER:
        if isinstance(value, bytes):
            raise WireError("a number is expected")
        return _signed(value)
    if kind == TEXT:
        return _bytes(value).decode("utf-8", "surrogateescape")
    return _bytes(value) if kind == BYTES else decode(_bytes(value), kind)


def _bytes(value: int | bytes) -> bytes:
    if not isinstance(value, bytes):
        raise WireError("bytes are expected")
    return value


def _signed(value: int) -> int:
    return value - _NEGATIVE if value >> 63 else value


def _number(data: bytes, place: int) -> tuple[int, int]:
    value = 0
    for count in range(_MOST):
        if place >= len(data):
            break
        byte = data[place]
        place += 1
        value |= (byte & 0x7F) << 7 * count
        if byte < 0x80:
            return value & (_NEGATIVE - 1), place
    raise WireError("a number has no end")


def _value(data: bytes, place: int, form: int) -> tuple[int | bytes, int]:
    if form == _VARINT:
        return _number(data, place)
    if form == _LENGTH:
        size, place = _number(data, place)
    elif form in (_EIGHT, _FOUR):
        size = 8 if form == _EIGHT else 4
    else:
        raise WireError(f"form {form} isn't known")
    if place + size > len(data):
        raise WireError("a field has no end")
    return data[place : place + size], place + size


def encode(message: dict[str, Any], schema: Schema) -> bytes:
    """Return the bytes of a message; what is nothing is left out."""
    out = bytearray()
    for number, (name, kind) in schema.items():
        value = message.get(name)
        if value is None or (not isinstance(kind, dict) and not value):
            continue
        if kind in (PAIRS, DATA_PAIRS):
            for key, each in value.items():
                pair = {1: ("key", TEXT), 2: ("value", TEXT if kind == PAIRS else BYTES)}
                _write(out, number, pair, {"key": key, "value": each})
        elif isinstance(kind, list):
            for each in value:
                _write(out, number, kind[0], each)
        else:
            _write(out, number, kind, value)
    return bytes(out)


def _write(out: bytearray, number: int, kind: Any, value: Any) -> None:
    if kind == NUMBER:
        out += _varint(number << 3 | _VARINT) + _varint(int(value) & (_NEGATIVE - 1))
        return
    if kind == TEXT:
        value = value.encode("utf-8", "surrogateescape")
    elif kind != BYTES:
        value = encode(value, kind)
    out += _varint(number << 3 | _LENGTH) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
