"""JSON as Go's encoding/json writes it, compact or indented: structs in their fields' order, maps sorted by key."""

from __future__ import annotations

import _json

from podpy.go.template.values import Map, NilSlice, NoValue, Struct, float_text, sorted_keys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_quote = _json.encode_basestring


def compact(value: Any) -> str:
    """Return the JSON text of a value on one line."""
    return _write(value, "", "")


def indented(value: Any, indent: str = "     ") -> str:
    """Return the JSON text over several lines (`inspect` indents by five spaces, `ps` by two)."""
    return _write(value, indent, "\n")


def _write(value: Any, indent: str, newline: str) -> str:
    if isinstance(value, str):
        return _quote(value)
    if value is None or isinstance(value, NoValue | NilSlice) or (isinstance(value, Map) and value.is_nil):
        return "null"
    if value is True:
        return "true"
    if value is False:
        return "false"
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, float):
        return float_text(value)
    inner = newline + indent if newline else ""
    colon = ": " if newline else ":"
    if isinstance(value, dict):
        if isinstance(value, Struct):
            value = value.json_form()
        names = list(value) if isinstance(value, Struct) else sorted_keys(value)
        parts = [
            f"{inner}{_quote(str(name))}{colon}{_write(value[name], indent, inner)}"
            for name in names
            if not callable(value[name])
        ]
        return "{" + ",".join(parts) + newline + "}" if parts else "{}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(inner + _write(item, indent, inner) for item in value) + newline + "]" if value else "[]"
    text: str = value.json_text()
    return text
