"""Imports go downwards only, as docs/architecture.md says."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.support.engine import CHECKOUT

PACKAGE = CHECKOUT / "src/podpy"
BOTTOM = {
    "_native", "beneath", "digests", "errors", "fastjson", "files", "interrupts", "linux", "notice", "numbers", "pids",
    "plan", "polling", "process", "record", "signals", "suggest", "times", "version",
}  # fmt: skip
"""May be imported by all, and import nothing above themselves."""

LOW = {"podpy.monitor.files": "monitor.files"}
"""Modules that stand lower than their rooms: as those of BOTTOM do. The formats of a monitor's files are the monitor's
business, and which of a user's monitors is alive is asked from below it, too.
"""

EVERYBODYS = BOTTOM | {"go"}
MAY_IMPORT: dict[str, set[str]] = {
    "cli": {"api", "build", "kube", "compose", "labs", "libpod", "spec", "quadlet"},
    "api": {"build", "image", "kube", "libpod", "monitor", "spec"},
    "testing": {"library", "libpod", "image", "spec", "config"},
    "aio": {"library"},
    "library": {"build", "kube", "libpod", "image", "spec", "config"},
    "build": {"libpod", "image", "oci", "spec", "storage", "rootless", "http"},
    "kube": {"libpod", "spec", "http", "yaml"},
    "compose": {"quadlet", "spec", "yaml"},
    "labs": {"libpod"},
    "libpod": {"image", "network", "oci", "monitor", "systemd", "quadlet", "spec", "storage", "rootless", "config"},
    "image": {"http", "storage", "rootless", "config"},
    "network": {"spec", "storage", "rootless", "config"},
    "oci": {"spec", "rootless", "config"},
    "monitor": {"oci", "rootless", "config"},
    "systemd": {"spec", "rootless", "config"},
    "quadlet": {"spec", "config"},
    "spec": {"storage", "rootless", "config"},
    "storage": {"rootless", "config"},
    "rootless": {"config"},
    "config": set(),
    "http": set(),
    "yaml": set(),
    "go": set(),
}
"""Room: the rooms below it, besides itself and EVERYBODYS."""

ENTRANCES = {"__init__", "__main__", "_start", "pack"}


def room_of(path: Path) -> str:
    """Return the first part of a module's name under podpy: `cli` of podpy/cli/main.py."""
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imported_rooms(tree: ast.AST) -> list[tuple[int, str]]:
    """Return (line, room) for every import of podpy's own modules, wherever it stands."""
    found = []
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names = [node.module]
            if node.module == "podpy":
                names = [f"podpy.{alias.name}" for alias in node.names]
        rooms = [LOW.get(name) or name.split(".")[1] for name in names if name.startswith("podpy.")]
        found += [(node.lineno, room) for room in rooms]  # type: ignore[attr-defined]
    return found


def type_checking_lines(tree: ast.AST) -> set[int]:
    """Return the lines inside `if TYPE_CHECKING:`: what only mypy imports binds nobody at run time."""
    lines: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            for inner in node.body:
                lines.update(range(inner.lineno, (inner.end_lineno or inner.lineno) + 1))
    return lines


def violations(path: Path) -> list[str]:
    """Return one line for each import of `path` that goes up or sideways."""
    room = room_of(path)
    if room in ENTRANCES:
        return []
    is_low = ".".join(("podpy", *path.relative_to(PACKAGE).with_suffix("").parts)) in LOW
    allowed = BOTTOM if room in BOTTOM or is_low else MAY_IMPORT[room] | EVERYBODYS | {room} | {*LOW.values()}
    tree = ast.parse(path.read_text())
    ignored = type_checking_lines(tree)
    return [
        f"{path.relative_to(CHECKOUT)}:{line}: {room} must not import {other}"
        for line, other in imported_rooms(tree)
        if other not in allowed and line not in ignored
    ]


ENGINES_OWN = {"store", "table", "database", "paths", "conf"}
"""What the command line may not take from its Runtime: what is decided with these is libpod's business."""


def insides(path: Path) -> list[str]:
    """Return one line for each use of what is the engine's own: `runtime.table`, `container.engine.paths`."""
    return [
        f"{path.relative_to(PACKAGE)}:{node.lineno}: uses {ast.unparse(node)}"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute)
        and node.attr in ENGINES_OWN
        and ast.unparse(node.value).rpartition(".")[2] in ("runtime", "engine")
    ]


def test_the_command_line_reads_options_makes_one_call_and_prints() -> None:
    found = [line for path in sorted((PACKAGE / "cli").rglob("*.py")) for line in insides(path)]
    assert not found, "\n".join(["call libpod instead, or give it a method:", *found])


def test_every_room_has_its_place_in_the_order() -> None:
    rooms = {room_of(path) for path in PACKAGE.rglob("*.py")}
    assert rooms - ENTRANCES - BOTTOM <= set(MAY_IMPORT), "give the new room a line in MAY_IMPORT and architecture.md"


def test_imports_go_downwards_only() -> None:
    found = [line for path in sorted(PACKAGE.rglob("*.py")) for line in violations(path)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("text", ["import podpy.cli.main", "from podpy.libpod import runtime", "from podpy import cli"])
def test_an_import_upwards_is_found(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "PACKAGE", tmp_path)
    monkeypatch.setitem(globals(), "CHECKOUT", tmp_path)
    (tmp_path / "storage").mkdir()
    path = tmp_path / "storage/store.py"
    path.write_text(text + "\n")
    assert len(violations(path)) == 1
