"""No function over 60 lines, no module over 600, in Python and in C. What spoils a code base is its tail."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.support.engine import CHECKOUT

FUNCTION_LIMIT = 60
MODULE_LIMIT = 600
TABLES = {
    "src/podpy/cli/_help.py",  # generated
    "src/podpy/cli/_table.py",  # generated
}
"""Modules that are data, exempt from MODULE_LIMIT. Functions in them aren't."""

PYTHON_ROOTS = ("src", "tests", "bench", "setup.py", "noxfile.py")


def python_files() -> list[Path]:
    """Return every Python file of the project."""
    roots = [CHECKOUT / root for root in PYTHON_ROOTS]
    files = [path for root in roots for path in ([root] if root.is_file() else root.rglob("*.py"))]
    return sorted(path for path in files if "build" not in path.relative_to(CHECKOUT).parts[:1])


def c_files() -> list[Path]:
    """Return every C source and header."""
    directory = CHECKOUT / "src/conmon_c"
    return sorted([*directory.rglob("*.c"), *directory.rglob("*.h")])


def long_python_functions(path: Path) -> list[str]:
    """Return a line for each function over the limit (its decorators and docstring count)."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > FUNCTION_LIMIT:
                found.append(f"{path}:{node.lineno}: {node.name} has {length} lines")
    return found


def long_c_functions(path: Path) -> list[str]:
    """Return a line for each function body over the limit: from a `{` in the first column to a `}` there."""
    found = []
    start = None
    for number, line in enumerate(path.read_text().split("\n"), 1):
        if line == "{":
            start = number
        elif line == "}" and start is not None:
            if number - start + 1 > FUNCTION_LIMIT:
                found.append(f"{path}:{start}: a function of {number - start + 1} lines")
            start = None
    return found


def test_no_function_is_longer_than_a_screen() -> None:
    found = [line for path in python_files() for line in long_python_functions(path)]
    found += [line for path in c_files() for line in long_c_functions(path)]
    assert not found, "\n".join(found)


def test_no_module_holds_more_than_one_concern() -> None:
    sizes = [
        (len(path.read_text().split("\n")), str(path.relative_to(CHECKOUT))) for path in python_files() + c_files()
    ]
    assert [(size, name) for size, name in sizes if size > MODULE_LIMIT and name not in TABLES] == []


@pytest.mark.parametrize("lines", [FUNCTION_LIMIT, FUNCTION_LIMIT + 1])
def test_the_limit_is_where_it_is_said_to_be(lines: int, tmp_path: Path) -> None:
    python, c = tmp_path / "x.py", tmp_path / "x.c"
    python.write_text("def f():\n" + "    pass\n" * (lines - 1))
    c.write_text("int f(void)\n{\n" + "\t;\n" * (lines - 2) + "}\n")
    too_long = lines > FUNCTION_LIMIT
    assert bool(long_python_functions(python)) == too_long
    assert bool(long_c_functions(c)) == too_long
