"""JSON for the hot path: the C half of `json` without its Python half, which imports `re` (a tenth of a start).

Same results as `json.loads` and `json.dumps(..., separators=(",", ":"))` for what podpy reads and writes itself:
dictionaries with text keys, lists, text, integers, floats, booleans, None.
"""

from __future__ import annotations

import _json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class _Context:
    """What `_json.make_scanner` reads its settings from (CPython, Modules/_json.c, scanner_new)."""

    strict = True
    object_hook = None
    object_pairs_hook = None
    parse_float = float
    parse_int = int
    parse_constant = float
    memo: dict[str, str] = {}


class _StrictContext(_Context):
    """The same for text of which every key counts once, and numbers are JSON's own."""

    @staticmethod
    def object_pairs_hook(pairs: list[tuple[str, Any]]) -> dict[str, Any]:  # type: ignore[override]
        """Return the object; ValueError if a key comes twice: which of the two counts is anybody's guess."""
        found = dict(pairs)
        if len(found) != len(pairs):
            names = [name for name, _ in pairs]
            twice = next(name for name in names if names.count(name) > 1)
            raise ValueError(f'the key "{twice}" is there twice')
        return found

    @staticmethod
    def parse_constant(text: str) -> float:  # type: ignore[override]
        """Refuse NaN and Infinity."""
        raise ValueError(f"{text} is no number")


_scan = _json.make_scanner(_Context())  # type: ignore[arg-type]
_scan_strict = _json.make_scanner(_StrictContext())  # type: ignore[arg-type]
_WHITESPACE = " \t\n\r"


def loads(text: str | bytes) -> Any:
    """Return what a JSON text means. Raises ValueError if it isn't exactly one JSON value."""
    return _loads(text, _scan)


def loads_strict(text: str | bytes) -> Any:
    """Do the same, and raise ValueError for an object that has a key twice, for NaN and Infinity."""
    return _loads(text, _scan_strict)


def _loads(text: str | bytes, scan: Any) -> Any:
    if isinstance(text, bytes):
        text = text.decode()
    text = text.strip(_WHITESPACE)
    try:
        value, end = scan(text, 0)
        if "\\ud" in text or "\\uD" in text:
            value = _writable(value)
    except StopIteration as error:
        raise ValueError(f"not JSON at character {error.value}") from None
    except ValueError as error:  # json.JSONDecodeError, which the C code imports only when it raises it
        raise ValueError(f"not JSON: {error}") from None
    except RecursionError:
        raise ValueError("nested too deeply") from None
    except SystemError:  # CPython 3.11: it looks for json.decoder among what is imported, finds none, raises nothing
        raise ValueError("not JSON") from None
    if end != len(text):
        raise ValueError(f"not JSON: text after the value at character {end}")
    return value


def _is_half(character: str) -> bool:
    return "\ud800" <= character < "\udc80" or "\udcff" < character <= "\udfff"


def _writable(value: Any) -> Any:
    """Return a value without halves of surrogate pairs, which no encoding has; what stands for a byte may stay."""
    if isinstance(value, str):
        try:
            value.encode("utf-8", "surrogateescape")
        except UnicodeEncodeError:
            return "".join(
                "\ufffd" if "\ud800" <= each < "\udc80" or "\udcff" < each <= "\udfff" else each for each in value
            )
        return value
    if isinstance(value, list):
        return [_writable(each) for each in value]
    if isinstance(value, dict):
        return {_writable(name): _writable(each) for name, each in value.items()}
    return value


def dumps(value: Any) -> str:
    """Return the compact JSON text of a value. Raises TypeError for what JSON can't hold."""
    return "".join(_encode(value, 0))


def dumps_readable(value: Any) -> str:
    """Return the same with characters beyond ASCII as they are."""
    return "".join(_encode_readable(value, 0))


def well_formed(text: str) -> str:
    """Return a text of the command line with U+FFFD for bytes that aren't UTF-8, as Go writes them into JSON: Python's
    stand-ins for them (os.fsdecode) would reach their reader as other bytes.
    """
    return text if text.isascii() else text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _refuse(value: Any) -> Any:
    raise TypeError(f"{type(value).__name__} can't be written as JSON")


_encode_readable = _json.make_encoder(None, _refuse, _json.encode_basestring, None, ":", ",", False, False, True)
_encode = _json.make_encoder(None, _refuse, _json.encode_basestring_ascii, None, ":", ",", False, False, True)
