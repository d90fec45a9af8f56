"""The tree of errors at the top of podpy/errors.py is the tree that the code has."""

from __future__ import annotations

import importlib
import pickle
import pkgutil
import re
from collections.abc import Iterator

import pytest

import podpy
from podpy import errors
from podpy.errors import PodpyError

# Built with more than a message, and raised only where the command line is read: programs see a UsageError.
OF_THE_COMMAND_LINE = {"UnknownOptionError", "MissingCommandError", "UnknownCommandError"}


def below(kind: type[PodpyError]) -> Iterator[type[PodpyError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from below(child)


@pytest.fixture(scope="module")
def kinds() -> list[type[PodpyError]]:
    for module in pkgutil.walk_packages(podpy.__path__, "podpy."):
        if module.name.rpartition(".")[2] not in ("__main__", "_start", "_native"):
            importlib.import_module(module.name)
    return [kind for kind in below(PodpyError) if kind.__name__ not in OF_THE_COMMAND_LINE]


def drawn() -> dict[str, tuple[str, str]]:
    """Return name → (code, parent's name) as drawn."""
    assert errors.__doc__
    found: dict[str, tuple[str, str]] = {}
    above: list[str] = []
    for line in errors.__doc__.splitlines():
        row = re.match(r"    ([│├└─ ]*)(\w+Error)\s+(?:\d+\s+)?([a-z-]+)", line)
        if row:
            depth = len(row[1]) // 4
            above[depth:] = [row[2]]
            found[row[2]] = (row[3], above[depth - 1] if depth else "")
    return found


def test_the_tree_is_drawn_as_it_is(kinds: list[type[PodpyError]]) -> None:
    assert drawn() == {
        kind.__name__: (kind.code, kind.__bases__[0].__name__.replace("Exception", "")) for kind in kinds
    }


def test_each_kind_has_a_code_of_its_own(kinds: list[type[PodpyError]]) -> None:
    codes = [kind.__dict__["code"] for kind in kinds]
    assert len(set(codes)) == len(codes)


def test_all_but_the_templates_stand_in_one_module(kinds: list[type[PodpyError]]) -> None:
    assert {kind.__module__ for kind in kinds} == {"podpy.errors", "podpy.go.template.errors"}


def test_errors_cross_to_another_process_whole(kinds: list[type[PodpyError]]) -> None:
    for kind in kinds:
        if kind.__module__ == "podpy.errors":
            error = pickle.loads(pickle.dumps(kind("what", hint="do this")))
            assert (type(error), error.message, error.hint) == (kind, "what", "do this")
