"""Files of variables as docker compose reads them: `.env`, and those of `env_file`.

    NAME=value # comment     NAME: value     export NAME=value     NAME='as it is'     NAME="with $OTHER and \\n"

A value in quotes may have several lines. NAME alone takes the value of the environment. Rule: compose specification,
05-services, env_file.
"""

from __future__ import annotations

from podpy.compose.interpolation import interpolate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "f": "\f", "b": "\b", "a": "\a", "v": "\v", "\\": "\\", '"': '"'}
_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-[]")


def parse(text: str, environ: Mapping[str, str]) -> dict[str, str]:
    """Return a file's variables. A value may use those before it and those of `environ`, which count before them.

    Raises ValueError with "line N: what is wrong".
    """
    found: dict[str, str] = {}
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    at = 0
    while at < len(text):
        end = _line_end(text, at)
        line = text[at:end].strip()
        if not line or line[0] == "#":
            at = end + 1
            continue
        try:
            at = _assignment(text, at, found, environ)
        except ValueError as error:
            raise ValueError(f"line {text.count(chr(10), 0, at) + 1}: {error}") from None
    return found


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end


def _assignment(text: str, at: int, found: dict[str, str], environ: Mapping[str, str]) -> int:
    """Read what begins at `at`; return where the next line begins."""
    end = _line_end(text, at)
    line = text[at:end]
    indent = len(line) - len(line.lstrip())
    body = line[indent:]
    if body.startswith(("export ", "export\t")):
        indent += len(body) - len(body[len("export") :].lstrip())
        body = line[indent:]
    size = 0
    while size < len(body) and body[size] in _LETTERS:
        size += 1
    name, rest = body[:size], body[size:].lstrip(" \t")
    if not name or (rest and rest[0] not in "=:#"):
        raise ValueError(f'unexpected character "{(body[size:] or body)[:1]}" in variable name')
    if not rest or rest[0] == "#":
        if name in environ:
            found[name] = environ[name]
        return end + 1
    begin = at + indent + size + (len(body) - size - len(rest)) + 1
    while text[begin : begin + 1] in (" ", "\t"):
        begin += 1
    quote = text[begin : begin + 1]
    if quote in ("'", '"') and quote:
        found[name], end = _quoted(text, begin, found, environ)
        return end
    found[name] = _filled(_without_comment(text[begin:end]), found, environ) if begin < end else ""
    return end + 1


def _without_comment(value: str) -> str:
    for mark in (" #", "\t#"):
        value = value.partition(mark)[0]
    return "" if value.startswith("#") else value.strip()


def _quoted(text: str, begin: int, found: dict[str, str], environ: Mapping[str, str]) -> tuple[str, int]:
    quote = text[begin]
    at = begin + 1
    while at < len(text) and text[at] != quote:
        at += 2 if text[at] == "\\" else 1
    if at >= len(text):
        raise ValueError(f"unterminated quoted value {text[begin : _line_end(text, begin)]}")
    inner = text[begin + 1 : at]
    end = _line_end(text, at)
    if text[at + 1 : end].strip() and not text[at + 1 : end].lstrip().startswith("#"):
        raise ValueError(f"text after the quote: {text[at + 1 : end].strip()}")
    return (inner.replace("\\'", "'") if quote == "'" else _unescaped(inner, found, environ)), end + 1


def _unescaped(inner: str, found: dict[str, str], environ: Mapping[str, str]) -> str:
    """Return the text between double quotes: `\\$` is a dollar sign, other sequences are those of a shell."""
    out, at = [], 0
    while at < len(inner):
        if inner[at] == "\\" and at + 1 < len(inner):
            letter = inner[at + 1]
            out.append("$$" if letter == "$" else _ESCAPES.get(letter, f"\\{letter}"))
            at += 2
        else:
            out.append(inner[at])
            at += 1
    return _filled("".join(out), found, environ)


def _filled(value: str, found: dict[str, str], environ: Mapping[str, str]) -> str:
    return interpolate(value, {**found, **environ}, lambda name: None)
