"""What the documents name exists."""

from __future__ import annotations

import ast
import re
import subprocess
from pathlib import Path

import pytest

from tests.project.test_imports import MAY_IMPORT
from tests.support.engine import CHECKOUT

DOCUMENTS = sorted([*CHECKOUT.glob("*.md"), *(CHECKOUT / "docs").rglob("*.md"), *(CHECKOUT / "findings").glob("*.md")])
NAMES = [str(path.relative_to(CHECKOUT)) for path in DOCUMENTS]
_LINK = re.compile(r"\]\(([^)#\s]+)")
_SCRIPT = re.compile(r"^ {4}(?:\$ )?((?:scripts|\.ci|bench)/\S+)", re.MULTILINE)
_PODPY = re.compile(r"^ {4}(?:\$ )?podpy ([a-z]+)", re.MULTILINE)


@pytest.mark.parametrize("name", NAMES)
def test_links_lead_somewhere(name: str) -> None:
    document = CHECKOUT / name
    targets = [target for target in _LINK.findall(document.read_text()) if "://" not in target]
    assert [target for target in targets if not (document.parent / target).exists()] == []


@pytest.mark.parametrize("name", NAMES)
def test_no_merge_is_left_half_done(name: str) -> None:
    lines = (CHECKOUT / name).read_text().splitlines()
    assert [line for line in lines if line.startswith(("<<<<<<< ", ">>>>>>> "))] == []


@pytest.mark.parametrize("name", NAMES)
def test_scripts_that_a_document_tells_to_run_exist(name: str) -> None:
    scripts = _SCRIPT.findall((CHECKOUT / name).read_text())
    assert [script for script in scripts if not (CHECKOUT / script).exists()] == []


def test_commands_in_the_readme_are_commands_of_podpy(launcher: Path) -> None:
    text = (CHECKOUT / "README.md").read_text()
    commands = sorted(set(_PODPY.findall(text)))
    assert commands
    for command in commands:
        done = subprocess.run([launcher, command, "--help"], capture_output=True, text=True)
        assert done.returncode == 0, f"podpy {command} --help: {done.stderr}"


WIDTH = 120
"""Columns of a line, in documents as in code."""


@pytest.mark.parametrize("name", NAMES)
def test_no_line_is_too_long(name: str) -> None:
    lines = (CHECKOUT / name).read_text().splitlines()
    assert [f"{name}:{number}" for number, line in enumerate(lines, 1) if len(line) > WIDTH] == []


PACKAGE = CHECKOUT / "src/podpy"
FIRST = {path.relative_to(PACKAGE).with_suffix("").parts[0] for path in PACKAGE.rglob("*.py")}
ROOMS = "|".join(sorted(FIRST - {"linux", "process", "record"}))
"""What a dotted name may begin with. `linux.…` and `process.…` are parts of config.json, too."""

OWN = (
    "src/podpy",
    "src/conmon_c",
    "podpy",
    "tests",
    "scripts",
    "bench",
    "conmon",
    "native",
    "holder",
    "launcher",
    *FIRST - {"linux"},
)
"""What the path of a file of ours begins with; others (`kernel/user_namespace.c`) are other programs'."""

_DOTTED = re.compile(rf"(?:\bpodpy\.[A-Za-z_][\w.]*)|(?:`(?:{ROOMS})\.[A-Za-z_][\w.]*(?=[`(]))")
_FILE = re.compile(r"(?<![\w/.:-])(?:[\w.-]+/)+[\w-]+\.(?:py|cdef|[ch])\b")
_OTHER_FILES = re.compile(
    r"\.(?:conf|json|md|pack|pid|py|sqlite|txt|log|so|sqlite-shm|pyc|stack|scope|fish|tar|yaml|sock|socket)$"
)
"""Endings of files: `config.json` is no module of podpy's."""

ENTRY_POINTS = frozenset(["podpy.secret_drivers"])
"""Groups of entry points, in which other packages bring something: names, but no modules."""


def is_there(dotted: str) -> bool:
    """Return whether podpy has this module, or this class, function or constant in a module, by reading its source."""
    if dotted in ENTRY_POINTS:
        return True
    words = dotted.removeprefix("podpy.").rstrip(".").split(".")
    place = PACKAGE
    while words and (place / words[0]).is_dir():
        place /= words.pop(0)
    module = place / "__init__.py"
    if words and (place / f"{words[0]}.py").exists():
        module = place / f"{words.pop(0)}.py"
    if not words:
        return module.exists()
    if words == ["_native"]:
        return True
    return words[-1] in re.findall(r"\w+", module.read_text())


def stale_names(text: str, room: str = "") -> list[str]:
    """Return the names of modules and files in a text that aren't there; files may be named from inside a room."""
    names = {found.lstrip("`") for found in _DOTTED.findall(text) if not _OTHER_FILES.search(found)}
    stale = [name for name in sorted(names) if not is_there(name)]
    roots = (CHECKOUT, CHECKOUT / "src", PACKAGE, PACKAGE / room, CHECKOUT / "src/conmon_c")
    files = sorted(name for name in set(_FILE.findall(text)) if name.startswith(tuple(f"{first}/" for first in OWN)))
    return stale + [name for name in files if not any((root / name).exists() for root in roots)]


@pytest.mark.parametrize("name", NAMES)
def test_modules_that_a_document_names_exist(name: str) -> None:
    assert stale_names((CHECKOUT / name).read_text()) == []


def test_modules_that_docstrings_name_exist() -> None:
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        tree = ast.parse(path.read_text())
        nodes = [node for node in ast.walk(tree) if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)]
        texts = "\n".join(ast.get_docstring(node) or "" for node in nodes)
        stale = stale_names(texts, path.relative_to(PACKAGE).parts[0])
        if stale:
            found[str(path.relative_to(CHECKOUT))] = stale
    assert found == {}


def test_a_name_that_is_not_there_is_found() -> None:
    assert stale_names("see `storage.nowhere.walk`, podpy.storage.store.Store and storage/nowhere.py") == [
        "storage.nowhere.walk",
        "storage/nowhere.py",
    ]


def test_the_architecture_shows_every_room() -> None:
    text = (CHECKOUT / "docs/architecture.md").read_text()
    assert [room for room in MAY_IMPORT if f"\n      {room}/ " not in text] == []


PACKAGES = sorted(path.parent for path in PACKAGE.rglob("__init__.py"))
_CLASS = re.compile(r"(?<![\w.])[A-Z][a-z]+[A-Z]\w+")
_CALL = re.compile(r"(?<![\w.`-])([a-z_]\w+)\((?!\d\))")
_MEMBER = re.compile(r"(?<![\w./])([a-z_]\w*)\.([A-Za-z_]\w*)")
SOURCE = "\n".join(path.read_text() for path in PACKAGE.rglob("*.py"))
_NOT_OURS = {"BuildKit", "ValueError", "InspectContainerData", "ListContainer", "HostConfig"}


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: str(path.relative_to(PACKAGE.parent)))
def test_a_room_says_truly_what_it_has(package: Path) -> None:
    contract = ast.get_docstring(ast.parse((package / "__init__.py").read_text())) or ""
    gone = [name for name in _CLASS.findall(contract) if f"class {name}" not in SOURCE and name not in _NOT_OURS]
    gone += [name for name in _CALL.findall(contract) if f"def {name}(" not in SOURCE]
    for module, name in _MEMBER.findall(contract):
        path = package / f"{module}.py"
        if (
            path.exists()
            and name not in ("py", "conf", "json")
            and not re.search(rf"(?:class|def) {name}\b", path.read_text())
        ):
            gone.append(f"{module}.{name}")
    assert gone == []
