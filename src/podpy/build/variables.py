"""The variables of a build: those of FROM, each stage's ARGs and ENVs, and which build arguments were used."""

from __future__ import annotations

from podpy.build.reading.variables import expanded, expanded_document, expanded_words
from podpy.image.documents.schema import host_platform

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from podpy.build.reading.instructions import Arg, Instruction
    from podpy.image.documents.schema import Platform

_PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY")
PREDEFINED = frozenset([*_PROXIES, *(name.lower() for name in _PROXIES)])
"""Known without ARG, and in neither history nor keys (Dockerfile reference, "Predefined ARGs")."""
_NOT_ASKED_FOR = PREDEFINED | {"SOURCE_DATE_EPOCH"}


class Arguments:
    """Build arguments as given, those before the first FROM, and the platform's."""

    def __init__(self, given: Mapping[str, str], platform: Platform) -> None:
        """`platform`: what is built for."""
        self.given = dict(given)
        self.used: set[str] = set()
        self.platform = platform
        self._automatic = _of_platform(self.platform)
        self.before_from: dict[str, str] = dict(self._automatic)

    def declare_global(self, instruction: Arg) -> None:
        """Take an ARG that stands before the first FROM."""
        for pair in instruction.pairs:
            value = self._given(pair.key)
            if value is None and pair.value is not None:
                value = expanded(instruction, pair.value, self.before_from)
            if value is not None:
                self.before_from[pair.key] = value

    def value(self, instruction: Arg, key: str, default: str | None, scope: Mapping[str, str]) -> str | None:
        """Return the value of an ARG in a stage; None: it has none."""
        value = self._given(key)
        if value is None and default is not None:
            return expanded(instruction, default, scope)
        return value if value is not None else self.before_from.get(key)

    def _given(self, key: str) -> str | None:
        if key in self.given:
            self.used.add(key)
        return self.given.get(key)

    @property
    def unused(self) -> list[str]:
        """The names of those that were given and that nothing asked for."""
        return [name for name in self.given if name not in self.used and name not in _NOT_ASKED_FOR]


def _of_platform(target: Platform) -> dict[str, str]:
    found = {}
    for prefix, platform in (("TARGET", target), ("BUILD", host_platform())):
        text = f"{platform.os}/{platform.architecture}"
        found[f"{prefix}PLATFORM"] = f"{text}/{platform.variant}" if platform.variant else text
        found[f"{prefix}OS"] = platform.os
        found[f"{prefix}OSVERSION"] = ""  # only Windows has one
        found[f"{prefix}ARCH"] = platform.architecture
        found[f"{prefix}VARIANT"] = platform.variant
    return found


class Scope:
    """What a stage's variables are at one moment: its ARGs below the image's variables."""

    def __init__(self, arguments: Arguments, inherited: Mapping[str, str] | None = None) -> None:
        """`inherited`: the ARGs of the stage that this one begins with."""
        self._arguments = arguments
        self.declared: dict[str, str] = dict(inherited or {})
        self._after: set[str] = {*self.declared}  # ARGs with a value that come after the image's variable of their name

    def declare(self, instruction: Arg, environment: Mapping[str, str]) -> list[str]:
        """Take an ARG; return the names that have no value."""
        without = []
        for pair in instruction.pairs:
            value = self._arguments.value(instruction, pair.key, pair.value, self.all(environment))
            if value is None:
                without.append(pair.key)
            else:
                self.declared[pair.key] = value
                self._after.add(pair.key)
        return without

    def set(self, names: Iterable[str]) -> None:
        """Take an ENV: from here on it wins over ARGs of its names."""
        self._after.difference_update(names)

    def beside(self, environment: Mapping[str, str]) -> dict[str, str]:
        """Return the ARGs that a command sees. An ARG wins over the image's variable if it comes later (BuildKit)."""
        return {key: value for key, value in self.declared.items() if key not in environment or key in self._after}

    def all(self, environment: Mapping[str, str]) -> dict[str, str]:
        """Return all variables: those of the image, and ARGs."""
        proxies = {name: value for name, value in self._arguments.given.items() if name in PREDEFINED}
        return {**proxies, **environment, **self.beside(environment)}

    def expand(self, instruction: Instruction, text: str, environment: Mapping[str, str]) -> str:
        """Return a text of an instruction with its variables replaced and its quotes removed."""
        return expanded(instruction, text, self.all(environment))

    def expand_words(self, instruction: Instruction, text: str, environment: Mapping[str, str]) -> list[str]:
        """Return the words that a text becomes."""
        return expanded_words(instruction, text, self.all(environment))

    def expand_document(self, instruction: Instruction, text: str, environment: Mapping[str, str]) -> str:
        """Return a here-document with its variables replaced."""
        return expanded_document(instruction, text, self.all(environment))
