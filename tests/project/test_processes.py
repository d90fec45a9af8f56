"""Child processes come through one door, podpy/process.py: their descriptors, signals and locks are seen to there."""

from __future__ import annotations

import ast

import pytest

from tests.support.engine import CHECKOUT

PACKAGE = CHECKOUT / "src/podpy"
DOOR = "process.py"
FORBIDDEN_CALLS = {"posix_spawn", "posix_spawnp", "fork", "forkpty", "system", "popen"}
FORBIDDEN_MODULES = {"subprocess", "multiprocessing", "pty", "_posixsubprocess"}


def found_in(text: str, name: str) -> list[str]:
    """Return a line for each use of `os` that makes a process, and for each module imported that does."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in ("os", "posix"):
            is_one = node.attr in FORBIDDEN_CALLS or node.attr.startswith("spawn")
            found += [f"{name}:{node.lineno}: os.{node.attr}"] if is_one else []
        modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            modules = [node.module or ""]
            if node.module in ("os", "posix") and {alias.name for alias in node.names} & FORBIDDEN_CALLS:
                found.append(f"{name}:{node.lineno}: from os")
        found += [f"{name}:{node.lineno}: {m}" for m in modules if m in FORBIDDEN_MODULES]  # type: ignore[attr-defined]
    return found


def test_children_come_through_one_door() -> None:
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        name = path.relative_to(PACKAGE).as_posix()
        if name != DOOR:
            found += found_in(path.read_text(), name)
    assert not found, "use podpy.process:\n" + "\n".join(found)


@pytest.mark.parametrize(
    "text",
    ["import subprocess", "import os\nos.fork()", "import os\nos.spawnv(0, '', [])", "from os import posix_spawn"],
)
def test_another_way_is_found(text: str) -> None:
    assert len(found_in(text, "x.py")) == 1
