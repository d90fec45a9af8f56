"""Words of a unit file's command lines and variables (systemd.service(5), COMMAND LINES; systemd.syntax(7))."""

from __future__ import annotations

_ESCAPED = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}
_QUOTED = frozenset(" \t\n\r\"'")


def quoted(word: str) -> str:
    """Return a word as systemd reads it: % and $ are its own, a lone semicolon would end the command."""
    text = word.replace("%", "%%").replace("$", "$$")
    if text and text != ";" and not _QUOTED.intersection(text):
        return text.replace("\\", "\\\\")
    return '"' + "".join(_ESCAPED.get(letter, letter) for letter in text) + '"'


def command_lines(words: list[str]) -> str:
    """Return words, quoted already, as one command over several lines: each that begins with a dash begins one."""
    first, *rest = words
    return first + "".join(f" \\\n\t{word}" if word.startswith("-") else f" {word}" for word in rest)
