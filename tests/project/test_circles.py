"""No module imports itself in a circle, however long the way, and no folder is too full to be read at a glance.

Imports count wherever they stand: at the top, in a function, for the type checker alone. A circle means that none of
its modules can be read, tested or moved without all the others.
"""

from __future__ import annotations

import ast
from pathlib import Path

from tests.support.engine import CHECKOUT

SOURCE = CHECKOUT / "src"
FOLDER_LIMIT = 25

KNOTTED: set[str] = set()
"""Modules that are still in a circle. The list may only shrink: whoever takes one out of its circle strikes it here."""

FULL_FOLDERS: dict[str, int] = {}
"""Folders that still hold more modules than FOLDER_LIMIT, and how many. May only shrink."""


def modules(source: Path) -> dict[str, Path]:
    """Return the modules below podpy by their dotted names."""
    found = {}
    for path in sorted([*source.rglob("podpy/**/*.py"), *source.rglob("podpy/**/*.pyi")]):
        name = ".".join(path.relative_to(source).with_suffix("").parts)
        found[name.removesuffix(".__init__")] = path
    return found


def imports(path: Path, known: set[str]) -> set[str]:
    """Return the modules of podpy that a file imports, wherever the import stands."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            names = [name if name in known else node.module for name in names]
        found |= {name for name in names if name in known}
    return found


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Return the strongly connected components of more than one module (Tarjan 1972), the biggest first."""
    order: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(name: str) -> None:
        order[name] = lowest[name] = len(order)
        stack.append(name)
        for other in graph[name]:
            if other not in order:
                visit(other)
                lowest[name] = min(lowest[name], lowest[other])
            elif other in stack:
                lowest[name] = min(lowest[name], order[other])
        if lowest[name] == order[name]:
            start = stack.index(name)
            found.append(sorted(stack[start:]))
            del stack[start:]

    for name in graph:
        if name not in order:
            visit(name)
    return sorted((circle for circle in found if len(circle) > 1), key=len, reverse=True)


def package_graph() -> dict[str, set[str]]:
    """Return who imports whom in podpy."""
    paths = modules(SOURCE)
    return {name: imports(path, set(paths)) - {name} for name, path in paths.items()}


def test_no_import_goes_in_a_circle() -> None:
    found = circles(package_graph())
    tied = {name for circle in found for name in circle}
    assert tied <= KNOTTED, "new in a circle: " + ", ".join(sorted(tied - KNOTTED)) + "\n" + "\n".join(map(str, found))
    assert tied >= KNOTTED, "no longer in a circle, strike them out of KNOTTED: " + ", ".join(sorted(KNOTTED - tied))


def test_no_folder_is_too_full() -> None:
    sizes: dict[str, int] = {}
    for path in (SOURCE / "podpy").rglob("*.py"):
        folder = path.parent.relative_to(SOURCE).as_posix()
        sizes[folder] = sizes.get(folder, 0) + 1
    assert {folder: size for folder, size in sizes.items() if size > FOLDER_LIMIT} == FULL_FOLDERS


def test_a_circle_is_found() -> None:
    graph = {"a": {"b"}, "b": {"c"}, "c": {"b", "d"}, "d": set(), "e": {"a", "f"}, "f": {"e"}}
    assert circles(graph) == [["b", "c"], ["e", "f"]]
