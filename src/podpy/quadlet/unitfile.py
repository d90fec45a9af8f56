"""Reads a unit file: systemd.syntax(7), as Podman's generator reads it.

Where the two differ, Podman counts: a line that ends with a backslash goes on without a blank in its place, whatever
stands after the backslash is cut off first, and empty lines and comments in between are left out.
"""

from __future__ import annotations

from podpy.quadlet.problems import Problem
from podpy.quadlet.words import split

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeAlias

    Entry: TypeAlias = tuple[str, str, int, str]
    """Key (empty: a comment), value, line, path."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_COMMENT = ("#", ";")
_TRUE = ("1", "yes", "true", "on")
_FALSE = ("0", "no", "false", "off")
_SHOWN = 60  # letters of a line that an error quotes


class UnitFile:
    """The sections by name, each a list of entries, in the file's order. Sections of one name are one."""

    def __init__(self) -> None:
        self.sections: dict[str, list[Entry]] = {}
        self.problems: list[Problem] = []

    def merge(self, other: UnitFile) -> None:
        """Add a drop-in's entries after those that are here."""
        for name, entries in other.sections.items():
            self.sections.setdefault(name, []).extend(entries)
        self.problems += other.problems


class Section:
    """What a section's keys say. Methods that return a text return an empty one if the key isn't there."""

    def __init__(self, entries: list[Entry], problems: list[Problem]) -> None:
        self.keys: dict[str, list[Entry]] = {}
        self.problems = problems
        for entry in entries:
            if entry[0]:
                self.keys.setdefault(entry[0], []).append(entry)

    def __contains__(self, key: str) -> bool:
        return key in self.keys

    def last(self, key: str) -> str:
        """Return the last value, without the quotes around it."""
        found = self.keys.get(key)
        if not found:
            return ""
        value = found[-1][1]
        return value[1:-1] if len(value) > 1 and value[0] == '"' == value[-1] else value

    def place(self, key: str) -> tuple[str, int]:
        """Return file and line of a key that is there: of its last value."""
        _, _, line, path = self.keys[key][-1]
        return path, line

    def every(self, key: str) -> list[Entry]:
        """Return all entries since the last empty value, which takes back what stands before it."""
        found: list[Entry] = []
        for entry in self.keys.get(key, ()):
            if entry[1]:
                found.append(entry)
            else:
                found = []
        return found

    def values(self, key: str) -> list[str]:
        """Return the values of `every`."""
        return [entry[1] for entry in self.every(key)]

    def boolean(self, key: str, default: bool = False) -> bool:
        """Return what the last value means; another word than systemd's is told and means no, as in Podman."""
        if key not in self.keys:
            return default
        value = self.last(key).lower()
        if value not in _TRUE and value not in _FALSE:
            self.warn(key, f"{key}={self.last(key)}: neither yes nor no. It counts as no")
        return value in _TRUE

    def words(self, key: str, *, escapes: bool = True) -> list[str]:
        """Return the words of all values; of one that can't be split none, and it is told."""
        return [word for entry in self.every(key) for word in self._split(entry, escapes=escapes)]

    def last_words(self, key: str) -> list[str]:
        """Return the words of the last value."""
        return self._split(self.keys[key][-1], escapes=True) if key in self.keys else []

    def pairs(self, key: str) -> list[str]:
        """Return the words by what stands before their `=`, sorted; the last of one name counts."""
        found = {word.partition("=")[0]: word for word in self.words(key)}
        return [found[name] for name in sorted(found)]

    def _split(self, entry: Entry, *, escapes: bool) -> list[str]:
        key, value, line, path = entry
        try:
            return split(value, escapes=escapes)
        except ValueError as error:
            self.problems.append(
                Problem(
                    path=path, line=line, text=f"{key}={_shown(value)}: {error}. It is left out", fatal=False, key=key
                )
            )
            return []

    def warn(self, key: str, text: str, hint: str = "") -> None:
        """Tell of a key's last value what isn't fatal."""
        path, line = self.place(key)
        self.problems.append(Problem(path=path, line=line, text=text, hint=hint, fatal=False, key=key))


def parse(raw: bytes, path: str) -> UnitFile:
    """Read a file's bytes. What is wrong stands in `problems`, all of it fatal."""
    unit = UnitFile()
    text = _decoded(raw, path, unit)
    current: list[Entry] | None = None
    lines = text.split("\n")
    if lines[-1] == "":
        lines.pop()
    begun, first = "", 0
    for number, line in enumerate(lines, 1):
        line = line.strip()
        if not line or line[0] in _COMMENT:
            if line and not begun and current is not None:
                current.append(("", line, number, path))
            continue
        if line[-1] == "\\":
            line = line[:-1]
            if number < len(lines):
                first = first or number
                begun += line
                continue
        line, at, begun, first = begun + line, first or number, "", 0
        if line[:1] == "[" and line[-1] == "]" and "]" not in line[:-1]:
            current = _section(line[1:-1], at, path, unit)
        else:
            _assignment(line, at, path, unit, current)
    if begun:  # comments or empty lines are all that follows
        _assignment(begun, first, path, unit, current)
    return unit


def _decoded(raw: bytes, path: str, unit: UnitFile) -> str:
    if raw.startswith(_BYTE_ORDER_MARK):
        raw = raw[len(_BYTE_ORDER_MARK) :]
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        unit.problems.append(Problem(path=path, line=line, text="isn't UTF-8, and systemd reads nothing else"))
        text = raw.decode(errors="replace")
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        unit.problems.append(Problem(path=path, line=line, text="has a NUL byte"))
        text = text.replace("\0", "")
    return text


def _section(name: str, line: int, path: str, unit: UnitFile) -> list[Entry] | None:
    if not name or "[" in name or not name.isprintable():
        unit.problems.append(Problem(path=path, line=line, text=f"invalid group name: {_shown(name)}"))
        return []
    return unit.sections.setdefault(name, [])


def _assignment(line: str, number: int, path: str, unit: UnitFile, section: list[Entry] | None) -> None:
    key, sign, value = line.partition("=")
    key = key.rstrip()
    if not sign or not key:
        text = f"“{_shown(line)}” is not a key-value pair, group, or comment"
        unit.problems.append(Problem(path=path, line=number, text=text))
    elif section is None:
        text = f"{_shown(key)}= stands before the first section"
        unit.problems.append(Problem(path=path, line=number, text=text, hint="Begin with a line such as [Container]"))
    else:
        section.append((key, value.strip(), number, path))


def _shown(text: str) -> str:
    short = text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
    return short if short.isprintable() else ascii(short)[1:-1]
