"""Imports and classes that wait until somebody needs them.

A module imports what all its functions need together, and a command runs few of them: `podpy ps` used half of the
modules that it loaded. And a class costs 60,000 instructions to make, needed or not. So in the pack

    from podpy.storage import files             class Reader(Base):
                                                    ...
    def read():                                 def read():
        return files.read("x")                      return Reader()

a name that only functions use is not bound when the module is loaded. Each use becomes `__podpy_later__["MODULE:NAME"]`
(`Later`, podpy/_start.py), which finds it when it is first asked, and keeps it. A class is kept as marshalled code in
its module, which makes it when it is asked for the attribute; that is how pickle and other modules find it, too. A name
whose value is a number or a text that never changes is written in its place.

What stays as it is: imports from elsewhere; a name that is used while the module is loaded (tables, defaults,
decorators, bases of classes that are needed at once); a name that is bound a second time anywhere in the module, be it
as a local variable; an imported name that other modules import from here, or that a table names.
"""

from __future__ import annotations

import ast
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LATER = "__podpy_later__"
"""The name among the builtins under which podpy/_start.py puts its `Later`."""
_NATIVE = "podpy._native"  # made by the C compiler: no module of the pack

_NAMED = re.compile(r"(podpy[\w.]*):(\w+)")  # how the option table says which function runs a command

Trees = dict[str, ast.Module]


class Names:
    """What all modules together say about each name."""

    def __init__(self, trees: Trees) -> None:
        """`trees`: every module in the pack by its name; they aren't changed."""
        self._trees = trees
        self.constants = {name: dict(_constants(tree)) for name, tree in trees.items()}
        self.exported: set[tuple[str, str]] = set()
        for tree in trees.values():
            self._note_exports(tree)

    def is_module(self, name: str) -> bool:
        """Return whether the pack has a module of this name."""
        return name in self._trees

    def targets(self, node: ast.stmt) -> dict[str, tuple[str, str]]:
        """Return what an import statement of the module's top binds: name → (module, attribute, or empty)."""
        found: dict[str, tuple[str, str]] = {}
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.asname and self.is_module(alias.name):
                    found[alias.asname] = (alias.name, "")
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                if self.is_module(whole):
                    found[alias.asname or alias.name] = (whole, "")
                elif self.is_module(node.module) or node.module == _NATIVE:
                    found[alias.asname or alias.name] = (node.module, alias.name)
        return found

    def _note_exports(self, tree: ast.Module) -> None:
        modules: dict[str, set[str]] = {}
        for node in ast.walk(tree):
            if isinstance(node, ast.Import | ast.ImportFrom):
                for name, (module, attribute) in self.targets(node).items():
                    if attribute:
                        self.exported.add((module, attribute))
                    else:
                        modules.setdefault(name, set()).add(module)
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                if named := _NAMED.fullmatch(node.value):
                    self.exported.add((named[1], named[2]))
            elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                self.exported.update((module, node.attr) for module in modules.get(node.value.id, ()))


def defer(name: str, tree: ast.Module, names: Names) -> dict[str, ast.stmt]:
    """Change a module's tree: imports and classes that can wait do. Return the classes that were taken out of it."""
    uses = _Uses(tree)
    parts = _parts(tree, uses)
    tree.body = [node for node in tree.body if node not in parts.values()]
    at_once = _Uses(tree).at_once
    targets = {part: (name, part) for part in parts}
    for node in tree.body:
        for bound, target in names.targets(node).items():
            is_free = uses.bindings.get(bound) == 1 and (name, bound) not in names.exported
            is_constant = target[1] in names.constants.get(target[0], {})
            if is_free and (is_constant or bound not in at_once):
                targets[bound] = target
    rewrite = _Rewrite(targets, names.constants)
    rewrite.visit(tree)
    return {part: rewrite.visit(node) for part, node in parts.items()}


def _parts(tree: ast.Module, uses: _Uses) -> dict[str, ast.stmt]:
    """Return the classes that nothing needs while the module is loaded. (A decorator may do more than make a class.)"""
    parts: dict[str, ast.stmt] = {
        node.name: node
        for node in tree.body
        if isinstance(node, ast.ClassDef) and not node.decorator_list and uses.bindings[node.name] == 1
    }
    while True:
        rest = ast.Module([node for node in tree.body if node not in parts.values()], [])
        needed = _Uses(rest).at_once & parts.keys()
        if not needed:
            return parts
        for name in needed:
            del parts[name]


class _Uses(ast.NodeVisitor):
    """How often each name is bound anywhere in a module, and which names are read while it is loaded.

    Annotations aren't evaluated; `lean` has taken them out.
    """

    def __init__(self, tree: ast.Module) -> None:
        self.bindings: dict[str, int] = {}
        self.at_once: set[str] = set()
        self._depth = 0
        self.visit(tree)

    def _bind(self, *names: str | None) -> None:
        for name in names:
            if name is not None:
                self.bindings[name] = self.bindings.get(name, 0) + 1

    def visit_Name(self, node: ast.Name) -> None:
        if not isinstance(node.ctx, ast.Load):
            self._bind(node.id)
            return
        if not self._depth:
            self.at_once.add(node.id)

    def _visit_function(self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> None:
        given = node.args
        for argument in [*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg]:
            if argument is not None:
                self._bind(argument.arg)
        self._visit_all(part for part in (*given.defaults, *given.kw_defaults) if part is not None)
        body: list[ast.stmt] | list[ast.expr]
        if isinstance(node, ast.Lambda):
            body = [node.body]
        else:
            self._bind(node.name)
            self._visit_all(node.decorator_list)
            body = node.body
        self._depth += 1
        self._visit_all(body)
        self._depth -= 1

    def _visit_all(self, nodes: Iterable[ast.AST]) -> None:
        for node in nodes:
            self.visit(node)

    visit_FunctionDef = visit_AsyncFunctionDef = visit_Lambda = _visit_function

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._bind(node.name)
        self.generic_visit(node)

    def visit_Import(self, node: ast.Import | ast.ImportFrom) -> None:
        self._bind(*(alias.asname or alias.name.partition(".")[0] for alias in node.names))

    visit_ImportFrom = visit_Import

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        self._bind(node.name)
        self.generic_visit(node)

    def visit_Global(self, node: ast.Global | ast.Nonlocal) -> None:
        self._bind(*node.names)

    visit_Nonlocal = visit_Global

    def visit_MatchAs(self, node: ast.MatchAs | ast.MatchStar) -> None:
        self._bind(node.name)
        self.generic_visit(node)

    visit_MatchStar = visit_MatchAs

    def visit_MatchMapping(self, node: ast.MatchMapping) -> None:
        self._bind(node.rest)
        self.generic_visit(node)


class _Rewrite(ast.NodeTransformer):
    """Takes the names out of a module's imports, and puts their values or `Later` where they are read."""

    def __init__(self, targets: dict[str, tuple[str, str]], constants: dict[str, dict[str, ast.Constant]]) -> None:
        self._targets = targets
        self._constants = constants

    def visit_Module(self, node: ast.Module) -> ast.AST:
        node.body = [left for child in node.body for left in self._without(child)]
        return self.generic_visit(node)

    def _without(self, node: ast.stmt) -> Iterable[ast.stmt]:
        if isinstance(node, ast.Import | ast.ImportFrom):
            node.names = [alias for alias in node.names if (alias.asname or alias.name) not in self._targets]
            if not node.names:
                return []
        return [node]

    def visit_Name(self, node: ast.Name) -> ast.AST:
        target = self._targets.get(node.id)
        if target is None:
            return node
        module, attribute = target
        constant = self._constants.get(module, {}).get(attribute)
        if constant is not None:
            return ast.copy_location(ast.Constant(constant.value), node)
        later = ast.Subscript(ast.Name(LATER, ast.Load()), ast.Constant(f"{module}:{attribute}"), ast.Load())
        return ast.copy_location(later, node)


def _constants(tree: ast.Module) -> Iterator[tuple[str, ast.Constant]]:
    """Yield the module's names that are bound once, to a number or a text."""
    bindings = _Uses(tree).bindings
    for node in tree.body:
        if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Constant):
            continue
        target = node.targets[0]
        if (
            isinstance(target, ast.Name)
            and bindings[target.id] == 1
            and isinstance(node.value.value, int | str | bytes)
        ):
            yield target.id, node.value
