"""fmt.Sprintf, for the verbs that templates use: %s %q %v %d %x %X %o %b %c %U %f %e %g %t %T %%."""

from __future__ import annotations

from podpy.go.template.strings import quote
from podpy.go.template.values import NoValue, Struct, sorted_keys, text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_FLAGS = "-+# 0"


class _Spec:
    """One %… of a format."""

    __slots__ = ("flags", "precision", "verb", "width")

    def __init__(self) -> None:
        self.flags = ""
        self.width = 0
        self.precision: int | None = None
        self.verb = ""


def sprintf(format_text: str, arguments: tuple[Any, ...]) -> str:
    """Return the formatted text; a verb that doesn't fit its value becomes Go's %!d(string=x)."""
    parts: list[str] = []
    used = 0
    position = 0
    while position < len(format_text):
        percent = format_text.find("%", position)
        if percent < 0:
            parts.append(format_text[position:])
            break
        parts.append(format_text[position:percent])
        spec, position, used = _read(format_text, percent + 1, arguments, used)
        if spec.verb == "%":
            parts.append("%")
        elif not spec.verb:
            parts.append("%!(NOVERB)")
        elif used >= len(arguments):
            parts.append(f"%!{spec.verb}(MISSING)")
        else:
            parts.append(_format(spec, arguments[used]))
            used += 1
    if used < len(arguments):
        extra = ", ".join(f"{type_name(item)}={text_of(item)}" for item in arguments[used:])
        parts.append(f"%!(EXTRA {extra})")
    return "".join(parts)


def _read(text: str, position: int, arguments: tuple[Any, ...], used: int) -> tuple[_Spec, int, int]:
    spec = _Spec()
    while position < len(text) and text[position] in _FLAGS:
        spec.flags += text[position]
        position += 1
    width, position, used = _number(text, position, arguments, used)
    spec.width = width or 0
    if spec.width < 0:
        spec.flags += "-"
        spec.width = -spec.width
    if text[position : position + 1] == ".":
        precision, position, used = _number(text, position + 1, arguments, used)
        spec.precision = precision or 0
    spec.verb = text[position : position + 1]
    return spec, position + 1, used


def _number(text: str, position: int, arguments: tuple[Any, ...], used: int) -> tuple[int | None, int, int]:
    if text[position : position + 1] == "*":
        value = arguments[used] if used < len(arguments) else 0
        return (value if isinstance(value, int) else 0), position + 1, used + 1
    end = position
    while end < len(text) and text[end].isdigit():
        end += 1
    return (int(text[position:end]) if end > position else None), end, used


def _format(spec: _Spec, value: Any) -> str:
    if spec.verb == "T":
        return _pad(spec, type_name(value), "")
    if isinstance(value, list | tuple) and spec.verb not in "vsq":
        return "[" + " ".join(_format(spec, item) for item in value) + "]"
    writer = _WRITERS.get(spec.verb)
    result = writer(spec, value) if writer is not None else None
    if result is None:
        return f"%!{spec.verb}({type_name(value)}={text_of(value)})"
    sign, body = result
    return _pad(spec, body, sign)


def _pad(spec: _Spec, body: str, sign: str) -> str:
    missing = spec.width - len(body) - len(sign)
    if missing <= 0:
        return sign + body
    if "-" in spec.flags:
        return sign + body + " " * missing
    if "0" in spec.flags:
        return sign + "0" * missing + body
    return " " * missing + sign + body


def _general(spec: _Spec, value: Any) -> tuple[str, str] | None:
    if "#" in spec.flags:
        return "", go_syntax(value)
    if "+" in spec.flags and isinstance(value, Struct):
        fields = (f"{key}:{text_of(item)}" for key, item in value.items() if not callable(item))
        return "", "{" + " ".join(fields) + "}"
    if isinstance(value, int) and not isinstance(value, bool):
        return _signed(spec, value, str(abs(value)))
    if isinstance(value, float) and spec.precision is not None:
        return _real(spec, value, "g")
    return "", text_of(value)


def _string(spec: _Spec, value: Any) -> tuple[str, str] | None:
    if isinstance(value, list | tuple):
        return "", "[" + " ".join(_format(_plain_copy(spec), item) for item in value) + "]"
    if isinstance(value, bool | int | float) or value is None:
        return None
    text = text_of(value)
    return "", text if spec.precision is None else text[: spec.precision]


def _plain_copy(spec: _Spec) -> _Spec:
    copy = _Spec()
    copy.verb = spec.verb
    return copy


def _quoted(spec: _Spec, value: Any) -> tuple[str, str] | None:
    if isinstance(value, list | tuple):
        return "", "[" + " ".join(_format(_plain_copy(spec), item) for item in value) + "]"
    if isinstance(value, int) and not isinstance(value, bool):
        return "", f"'{chr(value)}'"
    if isinstance(value, float | bool) or value is None:
        return None
    return "", quote(text_of(value))


def _whole(spec: _Spec, value: Any) -> tuple[str, str] | None:
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return _signed(spec, value, str(abs(value)))


def _based(letter: str, prefix: str) -> Any:
    def write(spec: _Spec, value: Any) -> tuple[str, str] | None:
        if isinstance(value, str) and letter in "xX":
            return "", value.encode().hex() if letter == "x" else value.encode().hex().upper()
        if isinstance(value, bool) or not isinstance(value, int):
            return None
        sign, body = _signed(spec, value, format(abs(value), letter))
        return sign + (prefix if "#" in spec.flags else ""), body

    return write


def _signed(spec: _Spec, value: float, digits: str) -> tuple[str, str]:
    if value < 0:
        return "-", digits
    return ("+" if "+" in spec.flags else " " if " " in spec.flags else ""), digits


def _real(spec: _Spec, value: Any, letter: str = "") -> tuple[str, str] | None:
    if isinstance(value, bool) or not isinstance(value, float):
        return None
    verb = letter or spec.verb
    if verb in "gG" and spec.precision is None:
        return _signed(spec, value, text_of(abs(value)))
    return _signed(spec, value, f"{abs(value):.{6 if spec.precision is None else spec.precision}{verb}}")


def _truth(_spec: _Spec, value: Any) -> tuple[str, str] | None:
    return ("", text_of(value)) if isinstance(value, bool) else None


def _character(_spec: _Spec, value: Any) -> tuple[str, str] | None:
    return ("", chr(value)) if isinstance(value, int) and not isinstance(value, bool) else None


def _code_point(_spec: _Spec, value: Any) -> tuple[str, str] | None:
    return ("", f"U+{value:04X}") if isinstance(value, int) and not isinstance(value, bool) else None


def type_name(value: Any) -> str:
    """Return what %T prints, as far as Python's types show it."""
    if value is None or isinstance(value, NoValue):
        return "<nil>"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, list | tuple):
        kinds = {type_name(item) for item in value}
        return f"[]{kinds.pop()}" if len(kinds) == 1 else "[]interface {}"
    if isinstance(value, Struct):
        return "struct"
    if isinstance(value, dict):
        kinds = {type_name(item) for item in value.values()}
        return f"map[string]{kinds.pop()}" if len(kinds) == 1 else "map[string]interface {}"
    names = {"str": "string", "int": "int", "float": "float64"}
    return names.get(type(value).__name__, type(value).__name__)


def go_syntax(value: Any) -> str:
    """Return what %#v prints."""
    if isinstance(value, str):
        return quote(value)
    if isinstance(value, list | tuple):
        return f"{type_name(value)}{{{', '.join(go_syntax(item) for item in value)}}}"
    if isinstance(value, Struct):
        return "struct{" + ", ".join(f"{k}:{go_syntax(v)}" for k, v in value.items() if not callable(v)) + "}"
    if isinstance(value, dict):
        inner = ", ".join(f"{go_syntax(key)}:{go_syntax(value[key])}" for key in sorted_keys(value))
        return f"{type_name(value)}{{{inner}}}"
    return text_of(value)


_WRITERS = {
    "v": _general,
    "s": _string,
    "q": _quoted,
    "d": _whole,
    "x": _based("x", "0x"),
    "X": _based("X", "0X"),
    "o": _based("o", "0"),
    "b": _based("b", "0b"),
    "c": _character,
    "U": _code_point,
    "f": _real,
    "F": _real,
    "e": _real,
    "E": _real,
    "g": _real,
    "G": _real,
    "t": _truth,
}
