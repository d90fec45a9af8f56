"""Trees that a container or an image can change are used through descriptors (podpy.beneath), never by joined paths."""

from __future__ import annotations

import ast

import pytest

from tests.support.engine import CHECKOUT

PACKAGE = CHECKOUT / "src/podpy"
FOREIGN = {"rootfs", "mountpoint", "subpath"}
"""Names of variables and attributes that lead to such a tree."""

CALLS = set(
    "open chown lchown chmod rename replace renames makedirs mkdir mknod mkfifo unlink remove rmdir symlink link"
    " readlink stat lstat listdir scandir utime truncate access exists isdir isfile copy copyfile copytree rmtree"
    " move mount walk fwalk setxattr getxattr".split()
)


def named(node: ast.AST) -> set[str]:
    """Return the last part of every name in an expression: {"volume", "mountpoint"} of volume.mountpoint."""
    found = {inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)}
    return found | {inner.attr for inner in ast.walk(node) if isinstance(inner, ast.Attribute)}


def joins(node: ast.AST, foreign: set[str]) -> bool:
    """Return whether an expression makes a longer path of a foreign tree's: by join, +, / or in an f-string."""
    for inner in ast.walk(node):
        is_join = isinstance(inner, ast.Call) and ast.unparse(inner.func).endswith("path.join")
        if (is_join or isinstance(inner, ast.JoinedStr | ast.BinOp)) and named(inner) & foreign:
            return True
    return False


def violations(source: str) -> list[tuple[int, str]]:
    """Return (line, call) for every system call on a path that was joined to a foreign tree's."""
    found = []
    for function in ast.walk(ast.parse(source)):
        if not isinstance(function, ast.FunctionDef):
            continue
        joined: set[str] = set()
        for node in ast.walk(function):
            if isinstance(node, ast.Assign) and joins(node.value, FOREIGN):
                joined |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        for node in ast.walk(function):
            if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] in CALLS:
                paths = [argument for argument in node.args if not isinstance(argument, ast.Constant)]
                if any(joins(path, FOREIGN) or (isinstance(path, ast.Name) and path.id in joined) for path in paths):
                    found.append((node.lineno, ast.unparse(node)))
    return sorted(set(found))


def test_no_path_is_joined_to_a_tree_that_others_can_change() -> None:
    found = [
        f"{path.relative_to(CHECKOUT)}:{line}: {call}"
        for path in sorted(PACKAGE.rglob("*.py"))
        for line, call in violations(path.read_text())
    ]
    assert not found, "open it with podpy.beneath:\n" + "\n".join(found)


@pytest.mark.parametrize(
    "line",
    [
        "os.chown(os.path.join(rootfs, name), 0, 0)",
        "open(f'{volume.mountpoint}/{name}')",
        "os.makedirs(self.rootfs + '/etc')",
        "path = os.path.join(volume.mountpoint, mount.subpath); os.rename(path, other)",
    ],
)
def test_a_use_of_a_joined_path_is_found(line: str) -> None:
    assert len(violations(f"def work():\n    {line}\n")) == 1


def test_a_use_of_a_descriptor_is_none() -> None:
    assert not violations("def work():\n    part = beneath.open_beneath(rootfs, name); os.fchown(part, 0, 0)\n")
