r"""The rest of an instruction's line → words: flags, quotes, JSON, `key=value`.

Quotes and escape characters stay in the words: they have a meaning until variables have been expanded.
"""

from __future__ import annotations

import json
import re

from podpy.build.reading.instructions import Pair

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_BLANK = re.compile(r"[\t\v\f\r ]+")  # what separates words; other spaces of Unicode are letters


class FormError(Exception):
    """The words don't have the form; `word` is what is wrong, or ""; `near`: what it may have meant."""

    def __init__(self, message: str, word: str = "", *, near: Sequence[str] = (), hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.word = word
        self.hint = f"Did you mean {near[0]}?" if near else hint


def split_command(line: str, escape: str = "\\") -> tuple[str, list[str], str]:
    """Return (keyword, flags, rest) of a line: `COPY --from=x a b` → COPY, [--from=x], "a b".

    Flags have no quotes any more. `--` ends them.
    """
    keyword, _, rest = _partition(line.strip())
    flags: list[str] = []
    while rest.startswith("--"):
        flag, end = _flag(rest, escape)
        rest = rest[end:].lstrip()
        if flag == "--":
            break
        flags.append(flag)
    return keyword, flags, rest.strip()


def _partition(text: str) -> tuple[str, str, str]:
    parts = _BLANK.split(text, maxsplit=1)
    return (parts[0], " ", parts[1]) if len(parts) > 1 else (text, "", "")


def _flag(text: str, escape: str) -> tuple[str, int]:
    """Return the first word of a text without its quotes, and where it ends."""
    word: list[str] = []
    quote = ""
    position = 0
    while position < len(text):
        letter = text[position]
        position += 1
        if letter == escape:
            word.append(text[position : position + 1])
            position += 1
        elif quote:
            if letter == quote:
                quote = ""
            else:
                word.append(letter)
        elif letter in "'\"":
            quote = letter
        elif letter.isspace():
            position -= 1
            break
        else:
            word.append(letter)
    return "".join(word), min(position, len(text))


def words_of(text: str, escape: str) -> list[str]:
    """Return the words of ARG, ENV and LABEL, quotes and all."""
    words: list[str] = []
    word: list[str] = []
    quote = ""
    position = 0
    while position < len(text):
        letter = text[position]
        position += 1
        if letter == escape and quote != "'":
            if position < len(text):  # at the end of the line it says nothing
                word.append(letter + text[position])
            position += 1
        elif quote:
            quote = "" if letter == quote else quote
            word.append(letter)
        elif letter.isspace():
            if word:
                words.append("".join(word))
            word = []
        else:
            quote = letter if letter in "'\"" else ""
            word.append(letter)
    if word:
        words.append("".join(word))
    return words


def blank_words(text: str) -> list[str]:
    """Return the words between blanks, whatever quotes they have: FROM's, COPY's, EXPOSE's."""
    return _BLANK.split(text) if text else []


def pairs(text: str, name: str, escape: str) -> list[Pair]:
    """Return the pairs of ENV and LABEL: `a=b c="d e"`, or the old form, `a b c`. Raises FormError."""
    words = words_of(text, escape)
    if not words:
        raise FormError(f"{name} requires at least one argument")
    if "=" not in words[0]:
        key, blank, value = _partition(text)
        if not blank:
            raise FormError(f"{name} must have two arguments", key)
        return [Pair(key=key, value=value, spaced=True)]
    found = []
    for word in words:
        key, sign, value = word.partition("=")
        if not sign:
            told = f'Syntax error - can\'t find = in "{word}". Must be of the form: name=value'
            raise FormError(told, word)
        if not key:
            raise FormError(f"{name} names can not be blank", word)
        found.append(Pair(key=key, value=value))
    return found


def json_words(text: str) -> list[str] | None:
    """Return the words of a JSON list; None for what is no JSON, which then is a text for the shell.

    Raises FormError for a list with other things than texts in it.
    """
    if not text.lstrip().startswith("["):
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not all(isinstance(item, str) for item in value):
        raise FormError("when using JSON array syntax, arrays must be comprised of strings only")
    # A half of a surrogate pair is no character; Go's reader puts U+FFFD there.
    return [re.sub("[\ud800-\udfff]", "\ufffd", item) for item in value]


def raw_words(text: str) -> list[str]:
    """Return a shell's words with their quotes, blanks after `<<` left out; none if a quote has no end."""
    words: list[str] = []
    word: list[str] = []
    quote = ""
    position = 0
    while position < len(text):
        letter = text[position]
        position += 1
        if letter == "\\" and quote != "'":
            word.append(letter + text[position : position + 1])
            position += 1
        elif quote:
            quote = "" if letter == quote else quote
            word.append(letter)
        elif letter.isspace():
            if word:
                words.append("".join(word))
            word = []
        elif letter == "<" and text[position : position + 1] == "<":
            word.append("<<")
            position += 1
            while text[position : position + 1] in (" ", "\t", "\r"):
                position += 1
        else:
            quote = letter if letter in "'\"" else ""
            word.append(letter)
    if quote:
        return []
    if word:
        words.append("".join(word))
    return words


def unquoted(word: str) -> str:
    """Return a shell's word without its quotes and backslashes."""
    return re.sub(r"\\(.)|['\"]", lambda match: match[1] or "", word)
