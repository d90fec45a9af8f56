"""The small realistic mistakes that mutate.py makes, and where in a file each can be made."""

from __future__ import annotations

import ast
import os
import re
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]

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

C_COMMENT_OR_STRING = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:[^"\\\n]|\\.)*"|\'(?:[^\'\\\n]|\\.)*\'|^#[^\n]*', re.S | re.M)
C_MISTAKES = {
    r"(?<= )==(?= )": "!=",
    r"(?<= )!=(?= )": "==",
    r"(?<= )<(?= )": "<=",
    r"(?<= )<=(?= )": "<",
    r"(?<= )>(?= )": ">=",
    r"(?<= )>=(?= )": ">",
    r"(?<= )&&(?= )": "||",
    r"(?<= )\|\|(?= )": "&&",
    r"(?<=[(\s&|])!(?=[a-z(])": "",
    r"\btrue\b": "false",
    r"\bfalse\b": "true",
    r"(?<=\[|\(|\s)[1-9](?=[;,)\]])": "0",
    r"(?<=\t)[a-z][a-z_]+\([^;{}]*\);(?=\n)": ";",
}


@dataclass(frozen=True)
class Mistake:
    """A piece of a file (offsets in characters) and what stands there instead."""

    path: Path
    line: int
    begin: int
    end: int
    text: str

    @property
    def name(self) -> str:
        """Where it is: the file below src/, and the offset."""
        return f"{os.fspath(self.path.relative_to(CHECKOUT / 'src'))}:{self.begin}:{self.end}"

    def apply(self, source: str) -> str:
        """Return the source with the mistake in it."""
        return source[: self.begin] + self.text + source[self.end :]


def _replacement(node: ast.AST) -> str | None:
    """Return what a mistake makes of a node, or None if it isn't one that mistakes are made with."""
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and type(node.ops[0]) in COMPARISONS:
        return ast.unparse(ast.Compare(node.left, [COMPARISONS[type(node.ops[0])]()], node.comparators))
    if isinstance(node, ast.BoolOp):
        return f"({ast.unparse(ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values))})"
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return f"({ast.unparse(node.operand)})"
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        return repr(not node.value)
    if isinstance(node, ast.Constant) and type(node.value) is int:
        return repr(node.value + 1)
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        return "pass"
    return None


def _inside(node: ast.AST) -> Iterator[ast.AST]:
    """Yield a node and all in it, without patterns of `match` and f-strings (their offsets are wrong before 3.12)."""
    if not isinstance(node, ast.pattern | ast.JoinedStr):
        yield node
        for child in ast.iter_child_nodes(node):
            yield from _inside(child)


def _in_functions(tree: ast.AST) -> Iterator[ast.AST]:
    """Yield every node inside functions, defaults of parameters left out: what is outside runs at each import."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef):
            for statement in node.body:
                yield from _inside(statement)


def python_mistakes(path: Path) -> list[Mistake]:
    """Return every mistake that can be made in a Python file."""
    source = path.read_text()
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    found = {}
    for node in _in_functions(ast.parse(source)):
        text = _replacement(node)
        if text is not None:
            assert isinstance(node, ast.expr | ast.stmt)
            begin = starts[node.lineno - 1] + node.col_offset
            end = starts[(node.end_lineno or node.lineno) - 1] + (node.end_col_offset or 0)
            lines = source[starts[node.lineno - 1] : starts[node.end_lineno or node.lineno]]
            if lines.isascii() and source[begin:end] != text:  # ast counts bytes
                found[begin, end] = Mistake(path, node.lineno, begin, end, text)
    return list(found.values())


def c_mistakes(path: Path) -> list[Mistake]:
    """Return every mistake that can be made in a C file, outside comments, strings and the preprocessor's lines."""
    source = path.read_text()
    code = C_COMMENT_OR_STRING.sub(lambda match: re.sub(r"[^\n]", '"', match[0]), source)
    return [
        Mistake(path, code.count("\n", 0, match.start()) + 1, match.start(), match.end(), text)
        for pattern, text in C_MISTAKES.items()
        for match in re.finditer(pattern, code)
    ]


def changed_lines(since: str) -> dict[Path, set[int]]:
    """Return for every file of src the numbers of the lines that were added since a revision; moved ones weren't."""
    command = ["git", "diff", "-U0", "-M", "-l0", "--no-color", since, "--", "src"]
    done = subprocess.run(command, cwd=CHECKOUT, check=True, capture_output=True, text=True)
    lines: dict[Path, set[int]] = defaultdict(set)
    path = CHECKOUT
    for line in done.stdout.splitlines():
        if line.startswith("+++ "):
            path = CHECKOUT / line.removeprefix("+++ ").removeprefix("b/")
        elif line.startswith("@@"):
            first, _, count = line.split()[2].removeprefix("+").partition(",")
            lines[path].update(range(int(first), int(first) + int(count or 1)))
    return lines
