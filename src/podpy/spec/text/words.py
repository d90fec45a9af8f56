"""`--env-merge`: a value that refers to the image's variables, as in a Dockerfile's ENV (podman-run(1))."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_NAME = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")
_SPECIAL_IN_QUOTES = '"$\\'


def expand(text: str, variables: Mapping[str, str]) -> str:
    """Return the text with $NAME, ${NAME}, ${NAME:-else} and ${NAME:+then} replaced and quotes removed.

    An unset variable is empty. Text in '…' is literal, and so is a character after a backslash.
    """
    result, position, quoted = "", 0, False
    while position < len(text):
        character = text[position]
        if character == "'" and not quoted:
            end = text.find("'", position + 1)
            end = len(text) if end < 0 else end
            result, position = result + text[position + 1 : end], end + 1
        elif character == '"':
            quoted, position = not quoted, position + 1
        elif character == "\\" and position + 1 < len(text):
            following = text[position + 1]
            result += following if not quoted or following in _SPECIAL_IN_QUOTES else character + following
            position += 2
        elif character == "$":
            value, position = _variable(text, position + 1, variables)
            result += value
        else:
            result, position = result + character, position + 1
    return result


def _variable(text: str, position: int, variables: Mapping[str, str]) -> tuple[str, int]:
    """Return the value of the variable whose name begins at `position`, after the $, and the position after it."""
    if text[position : position + 1] == "{":
        end = text.find("}", position)
        if end < 0:
            return "$" + text[position:], len(text)
        name, modifier, word = _parted(text[position + 1 : end])
        value = variables.get(name, "")
        if modifier == ":-":
            value = value or expand(word, variables)
        elif modifier == ":+":
            value = expand(word, variables) if value else ""
        return value, end + 1
    end = position
    while end < len(text) and text[end] in _NAME:
        end += 1
    return (variables.get(text[position:end], ""), end) if end > position else ("$", end)


def _parted(inner: str) -> tuple[str, str, str]:
    for modifier in (":-", ":+"):
        name, found, word = inner.partition(modifier)
        if found:
            return name, modifier, word
    return inner, "", ""
