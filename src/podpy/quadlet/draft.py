"""What one file means as long as nothing is known of the others: a unit's text with references to them.

A reference is a part of a text between two NUL characters: `s` and a file's name for that file's unit, `r` for the
object that it makes. Of commands that have one the words with references stand apart: they are quoted when complete.
"""

from __future__ import annotations

from podpy.quadlet.words import quoted

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, TypeAlias

    from podpy.quadlet.problems import Problem
    from podpy.quadlet.unitfile import UnitFile

    Line: TypeAlias = str | list[str]

MARK = "\0"
USERS_ONLINE = "podpy-user-wait-network-online.service"
"""What a user's units wait for, as a user's manager has no network-online.target; podpy.quadlet.units has its text."""


def service_of(name: str) -> str:
    """Return the reference to the unit of the file `name`."""
    return f"{MARK}s{name}{MARK}"


def resource_of(name: str) -> str:
    """Return the reference to what the file `name` makes: a volume's, network's, image's … name."""
    return f"{MARK}r{name}{MARK}"


class Draft:
    """One file's unit. Its attributes hold texts, numbers, lists and tuples alone, so that it can be kept.

    service     the unit's name, `web.service`
    resource    the name of what it makes, for other files; empty if nobody can know it (a specifier)
    text        the lines: complete ones in one text, commands with references as lists: text, word, text, word …
    needs       (file name, why, path, line) of each reference
    pod         the file of the pod that it belongs to, or empty
    starts      whether the pod's start starts it
    links       the links in the output directory that enable it, each (place, target)
    problems    what is wrong, the fields of each Problem
    """

    FIELDS = ("service", "resource", "text", "needs", "pod", "starts", "links", "problems")

    def __init__(self) -> None:
        self.service = ""
        self.resource = ""
        self.text: list[Line] = []
        self.needs: list[tuple[str, str, str, int]] = []
        self.pod = ""
        self.starts = False
        self.links: list[tuple[str, str]] = []
        self.problems: list[tuple[str, int, str, str, bool, str]] = []

    def kept(self) -> tuple[Any, ...]:
        """Return all of it as plain values."""
        return tuple(getattr(self, name) for name in self.FIELDS)

    @classmethod
    def of(cls, values: tuple[Any, ...]) -> Draft:
        """Return the draft of such values."""
        draft = cls()
        draft.__dict__.update(zip(cls.FIELDS, values, strict=True))
        return draft

    @property
    def is_broken(self) -> bool:
        """Whether a problem is fatal."""
        return any(fatal for _, _, _, _, fatal, _ in self.problems)

    def add_problems(self, problems: Iterable[Problem]) -> None:
        """Take over problems."""
        self.problems += [(p.path, p.line, p.text, p.hint, p.fatal, p.key) for p in problems]


class Service:
    """The sections of a unit that is being made."""

    def __init__(self, unit: UnitFile, renamed: dict[str, str]) -> None:
        self.sections: dict[str, list[Line]] = {}
        for name, entries in unit.sections.items():
            lines = self.sections.setdefault(renamed.get(name, name), [])
            lines += [f"{entry[0]}={entry[1]}" if entry[0] else entry[1] for entry in entries]

    def add(self, section: str, line: str) -> None:
        """Add a line at a section's end; a new section comes after the others."""
        self.sections.setdefault(section, []).append(line)

    def begin(self, section: str, *lines: str) -> None:
        """Add lines at a section's beginning."""
        self.sections.setdefault(section, [])[:0] = lines

    def drop(self, section: str, key: str) -> None:
        """Remove a key's lines."""
        lines = self.sections[section]
        lines[:] = [line for line in lines if not (isinstance(line, str) and line.startswith(key + "="))]

    def run(self, key: str, words: list[str], mark: str = "") -> None:
        """Add a command to [Service]; `mark`: a prefix of systemd.service(5), Special executable prefixes."""
        parts = [f"{key}={mark}{quoted(words[0])}"]
        for word in words[1:]:
            if MARK in word:
                parts[-1] += " "
                parts += [word, ""]
            else:
                parts[-1] += " " + quoted(word)
        self.sections.setdefault("Service", []).append(parts if len(parts) > 1 else parts[0])

    def lines(self) -> list[Line]:
        """Return the unit's lines, those without references joined."""
        found: list[Line] = []
        plain: list[str] = []
        for name, section in self.sections.items():
            plain += ["", f"[{name}]"] if plain or found else [f"[{name}]"]
            for line in section:
                if isinstance(line, str) and MARK not in line:
                    plain.append(line)
                else:
                    found += ["\n".join([*plain, ""]), line] if plain else [line]
                    plain = []
        return [*found, "\n".join([*plain, ""])] if plain else found


def complete(lines: list[Line], known: Callable[[str], list[str]]) -> str:
    """Return a unit's text. `known`: what a reference stands for; a line of which one stands for several things comes
    once for each, and not at all for none.
    """
    return "".join(_completed(line, known) for line in lines)


def _completed(line: Line, known: Callable[[str], list[str]]) -> str:
    if isinstance(line, list):
        parts = line.copy()
        parts[1::2] = [quoted(_filled(word, known)) for word in parts[1::2]]
        return "".join(parts) + "\n"
    if MARK not in line:
        return line
    parts = line.split(MARK)
    if len(parts) == 3:  # one reference, which may stand for several names
        return "".join(f"{parts[0]}{name}{parts[2]}\n" for name in known(parts[1]))
    return _filled(line, known) + "\n"


def _filled(text: str, known: Callable[[str], list[str]]) -> str:
    parts = text.split(MARK)
    parts[1::2] = [" ".join(known(part)) for part in parts[1::2]]
    return "".join(parts)
