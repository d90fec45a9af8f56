#!/usr/bin/env python3
"""Make small realistic mistakes in podpy's code, one at a time, and tell which ones no test notices.

    tests/faults/mutate.py --since REVISION [--count N] [--seed N] [--only PREFIX] [--workers N]

Works in a copy of the checkout, which it builds once. A mistake is made in a line of src/podpy that changed since
REVISION: a comparison turned round, `and` for `or`, a lost `not`, True for False, a number off by one, a call left out.
The tests that are run for it are those of its room (TESTS); the first that fails has noticed it, and so has one that
takes too long. Survivors are printed as diffs. Not part of the suite: a hundred take some hours on two cores.
"""

from __future__ import annotations

import argparse
import ast
import difflib
import os
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]
LIMIT = 600  # seconds for the tests of one mistake
TESTS = {
    "spec": "tests/spec tests/oci tests/libpod/test_same_container.py tests/libpod/test_run.py",
    "oci": "tests/oci tests/security tests/libpod/test_run.py tests/libpod/test_exec.py",
    "monitor": "tests/monitor tests/libpod/test_life.py tests/libpod/test_races.py",
    "network": "tests/network",
    "systemd": "tests/rootless/test_cgroups.py tests/libpod/test_sdnotify.py",
    "storage": "tests/storage tests/libpod/test_state.py tests/image/test_space.py tests/image/test_durability.py",
    "rootless": "tests/rootless",
    "config": "tests/config tests/libpod/test_same_container.py tests/image/test_login.py",
    "go": "tests/go tests/cli tests/image/test_templates.py",
    "image": "tests/image tests/security/test_digests.py",
    "libpod": "tests/libpod tests/oci/test_confinement.py tests/faults/test_crash.py",
    "libpod/images": "tests/image tests/cli",
    "libpod/filters": "tests/cli tests/libpod",
    "libpod/system": "tests/libpod tests/image/test_space.py tests/faults",
    "cli": "tests/cli tests/spec tests/libpod/test_like_podman.py",
    "": "tests/bottom tests/project/test_beneath.py tests/project/test_errors.py tests/libpod tests/rootless",
}
"""Where it is (the longest beginning counts) and the tests that ought to notice."""

COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}


@dataclass(frozen=True)
class Mistake:
    """A piece of a file (offsets in characters) and what stands there instead."""

    path: Path
    line: int
    begin: int
    end: int
    text: str

    def apply(self, source: str) -> str:
        """Return the source with the mistake in it."""
        return source[: self.begin] + self.text + source[self.end :]


def replacement(node: ast.AST) -> str | None:
    """Return what a mistake makes of a node, or None if it isn't one that mistakes are made with."""
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in COMPARISONS:
        return ast.unparse(ast.Compare(node.left, [COMPARISONS[type(node.ops[0])]()], node.comparators))
    if isinstance(node, ast.BoolOp):
        return f"({ast.unparse(ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values))})"
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return ast.unparse(node.operand)
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        return repr(not node.value)
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return repr(node.value + 1)
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        return "pass"
    return None


def functions(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield every node inside functions, defaults of parameters left out: what is outside runs at each import."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            for statement in node.body:
                yield from ast.walk(statement)


def changed_lines(path: Path, since: str) -> set[int]:
    """Return the numbers of the lines that were added since a revision."""
    command = ["git", "diff", "-U0", "-M", since, "--", os.fspath(path.relative_to(CHECKOUT))]
    done = subprocess.run(command, cwd=CHECKOUT, check=True, capture_output=True, text=True)
    lines: set[int] = set()
    for line in done.stdout.splitlines():
        if line.startswith("@@"):
            first, _, count = line.split()[2].removeprefix("+").partition(",")
            lines.update(range(int(first), int(first) + int(count or 1)))
    return lines


def mistakes(path: Path, since: str) -> list[Mistake]:
    """Return every mistake that can be made in the changed lines of a file."""
    source = path.read_text()
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    lines = changed_lines(path, since)
    found = {}
    for node in functions(ast.parse(source)):
        text = replacement(node) if getattr(node, "lineno", 0) in lines else None
        if text is not None:
            assert isinstance(node, ast.expr | ast.stmt)
            begin = starts[node.lineno - 1] + node.col_offset
            end = starts[(node.end_lineno or node.lineno) - 1] + (node.end_col_offset or 0)
            if source[begin:end].isascii() and source[begin:end] != text:
                found[begin, end] = Mistake(path, node.lineno, begin, end, text)
    return list(found.values())


def tests_for(path: Path) -> list[str]:
    """Return the tests that ought to notice a mistake in a file."""
    inside = os.fspath(path.relative_to(CHECKOUT / "src/podpy"))
    room = max((name for name in TESTS if inside.startswith(f"{name}/") or not name), key=len)
    return TESTS[room].split()


def is_noticed(copy: Path, mistake: Mistake, workers: int) -> bool:
    """Make the mistake in the copy, run the tests, and take it back."""
    target = copy / mistake.path.relative_to(CHECKOUT)
    source = target.read_text()
    wrong = mistake.apply(source)
    try:
        compile(wrong, os.fspath(target), "exec")
    except SyntaxError:
        return True
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *tests_for(mistake.path)]
    parallel = ["-n", str(workers), "--dist", "loadgroup"] if workers > 1 else []
    target.write_text(wrong)
    try:
        done = subprocess.run([*command, *parallel], cwd=copy, capture_output=True, timeout=LIMIT)
    except subprocess.TimeoutExpired:
        return True
    finally:
        target.write_text(source)
    return done.returncode != 0


def describe(mistake: Mistake) -> str:
    """Return the mistake as a diff."""
    source = mistake.path.read_text()
    name = os.fspath(mistake.path.relative_to(CHECKOUT))
    lines = difflib.unified_diff(source.splitlines(), mistake.apply(source).splitlines(), name, name, n=1, lineterm="")
    return "\n".join(lines)


def main() -> None:
    """Make mistakes and count which are noticed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--since", required=True)
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", help="files below src/podpy whose names begin so")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    files = sorted((CHECKOUT / "src/podpy").rglob("*.py"))
    files = [path for path in files if os.fspath(path.relative_to(CHECKOUT / "src/podpy")).startswith(options.only)]
    generated = {"_table.py", "_help.py"}
    possible = [one for path in files if path.name not in generated for one in mistakes(path, options.since)]
    chosen = random.Random(options.seed).sample(possible, min(options.count, len(possible)))
    print(f"{len(possible)} mistakes are possible; making {len(chosen)}", flush=True)
    copy = Path(tempfile.mkdtemp(prefix="podpy-mutate-", dir="/var/tmp"))
    try:
        shutil.copytree(CHECKOUT, copy, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".git", "build"))
        copy.chmod(0o755)
        noticed = 0
        for number, mistake in enumerate(chosen, 1):
            seen = is_noticed(copy, mistake, options.workers)
            noticed += seen
            print(f"{number}: {'noticed' if seen else 'SURVIVED'} {mistake.path.name}:{mistake.line}", flush=True)
            if not seen:
                print(describe(mistake), flush=True)
        print(f"noticed: {noticed} of {len(chosen)}")
    finally:
        shutil.rmtree(copy, ignore_errors=True)


if __name__ == "__main__":
    main()
