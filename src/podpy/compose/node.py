"""A value of the compose file with its place, and the list of what is wrong.

Methods that read a value tell a problem if it is of another kind, and return an empty one: so all mistakes of a file
are told at once.
"""

from __future__ import annotations

from podpy.compose.interpolation import interpolate
from podpy.quadlet.problems import Problem
from podpy.yaml.places import Mapping, Plain, Sequence, field
from podpy.yaml.scalars import resolve, text_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    import collections.abc
    from typing import Any

_TRUE = ("true", "yes", "on", "1", "y", "t")
_FALSE = ("false", "no", "off", "0", "n", "f")
_SIZES = {"": 1, "b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40, "p": 1 << 50}


class Notes:
    """What is wrong with a file, and the values of its variables."""

    def __init__(self, file: str, variables: collections.abc.Mapping[str, str]) -> None:
        self.file, self.variables = file, variables
        self.problems: list[Problem] = []
        self._unset: set[str] = set()

    def tell(self, text: str, line: int, path: str, *, hint: str = "", fatal: bool = True) -> None:
        """Note a problem. `fatal`: the files would not mean what the compose file says."""
        whole = _in_one_line(f"{path}: {text}" if path else text)
        problem = Problem(path=self.file, line=line, text=whole, hint=_in_one_line(hint), fatal=fatal, key=path)
        if problem not in self.problems:
            self.problems.append(problem)

    def filled(self, text: str, line: int, path: str) -> str:
        """Return a text with its variables replaced."""
        try:
            return interpolate(text, self.variables, lambda name: self._tell_unset(name, line, path))
        except ValueError as error:
            self.tell(str(error), line, path)
            return ""

    def _tell_unset(self, name: str, line: int, path: str) -> None:
        if name not in self._unset:
            self._unset.add(name)
            self.tell(f"the variable {name} is not set: it counts as empty", line, path, fatal=False)


class Node:
    """One value: `path` is its field, `services.web.ports[0]`."""

    __slots__ = ("line", "notes", "path", "value")

    def __init__(self, value: Any, line: int, path: str, notes: Notes) -> None:
        self.line, self.path, self.notes = line, path, notes
        if isinstance(value, str) and "$" in value:
            value = notes.filled(str(value), line, path)
        self.value = value

    def tell(self, text: str, *, hint: str = "", fatal: bool = True) -> None:
        """Note a problem with this value."""
        self.notes.tell(text, self.line, self.path, hint=hint, fatal=fatal)

    @property
    def is_null(self) -> bool:
        """Whether nothing is given."""
        return isinstance(self.value, Plain) and resolve(self.value) is None

    @property
    def is_mapping(self) -> bool:
        """Whether it has keys."""
        return isinstance(self.value, Mapping)

    @property
    def is_list(self) -> bool:
        """Whether it is a list."""
        return isinstance(self.value, Sequence)

    def text(self) -> str:
        """Return a scalar's text."""
        if isinstance(self.value, Plain):
            return text_of(resolve(self.value))
        if not isinstance(self.value, str):
            self.tell("must be a text")
            return ""
        return self.value

    def flag(self) -> bool:
        """Return a boolean."""
        word = self.text().lower()
        if word not in _TRUE and word not in _FALSE:
            self.tell(f'"{word}" is neither true nor false')
        return word in _TRUE

    def whole(self) -> int:
        """Return a whole number."""
        word = self.text()
        try:
            return int(word)
        except ValueError:
            self.tell(f'"{word}" is no whole number')
            return 0

    def mode(self) -> str:
        """Return a file's mode in octal digits: a text has them, a number without quotes is one of YAML's."""
        if isinstance(self.value, Plain):
            return f"{self.whole():o}"
        word = self.text()
        if not word or set(word) - set("01234567"):
            self.tell(f'"{word}" is no octal number')
        return word.lstrip("0") or "0"

    def size(self) -> str:
        """Return a size as podpy's options take it; `1.5gb` becomes a number of bytes."""
        word = self.text().lower().replace(" ", "")
        number = word.rstrip("bkmgtpi")
        unit = word[len(number) :].rstrip("b").removesuffix("i")
        try:
            value = float(number) * _SIZES[unit]
            whole = str(int(value))
        except (ValueError, KeyError, OverflowError):
            self.tell(f'"{word}" is no size', hint="64m, 1gb …")
            return ""
        return word if number.isdecimal() and len(word) - len(number) <= 1 else whole

    def items(self) -> list[Node]:
        """Return a list's items."""
        if self.is_null:
            return []
        if not isinstance(self.value, Sequence):
            self.tell("must be a list")
            return []
        return [
            Node(item, line, f"{self.path}[{number}]", self.notes)
            for number, (item, line) in enumerate(zip(self.value, self.value.lines, strict=True))
        ]

    def one_or_more(self) -> list[Node]:
        """Return a list's items, or the text itself."""
        if self.is_null:
            return []
        return self.items() if self.is_list else [self]

    def entries(self) -> dict[str, Node]:
        """Return a mapping's values by their keys, without extensions (`x-…`)."""
        if self.is_null:
            return {}
        if not isinstance(self.value, Mapping):
            self.tell("must be a mapping")
            return {}
        return {
            key: Node(value, self.value.lines[key], field(self.path, key), self.notes)
            for key, value in self.value.items()
            if not key.startswith("x-")
        }

    def pairs(self, sign: str = "=") -> dict[str, str | None]:
        """Return names with their values, from a mapping or a list of `NAME=VALUE`; None: no value is given."""
        if not self.is_list:
            return {key: None if value.is_null else value.text() for key, value in self.entries().items()}
        found: dict[str, str | None] = {}
        for item in self.items():
            name, equals, value = item.text().partition(sign)
            found[name] = value if equals else None
        return found

    def known(self, *names: str) -> dict[str, Node]:
        """Return a mapping's entries with these keys; tell of others."""
        found = self.entries()
        for key in [key for key in found if key not in names]:
            found.pop(key).tell("there is no such key", hint=nearest(key, names))
        return found


def _in_one_line(text: str) -> str:
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)


def external(keys: dict[str, Node], name: str) -> str:
    """Return the name of an object of the file that is there already; empty for one that the project makes."""
    given = keys.get("external")
    if given is None:
        return ""
    if given.is_mapping:  # an old form
        keys = given.entries()
    elif not given.flag():
        return ""
    return keys["name"].text() if "name" in keys else name


def nearest(word: str, known: collections.abc.Iterable[str]) -> str:
    """Return the question whether a similar word is meant, or an empty text."""
    from podpy.suggest import near, similar

    names = list(known)
    found = next(iter(near(word, names)), "") or similar(word, names)
    return f"did you mean {found}?" if found else ""
