"""Imports, classes and functions that wait until their first use.

A module imports what any of its functions needs, and a command runs few of them: `podpy ps` used half of the modules
that it loaded. A class costs 60,000 instructions, used or not. So in the pack

    from podpy.storage import files             class Reader(Base):
                                                    ...
    def read():                                 def read():
        return files.read("x")                      return Reader()

a name that only functions use isn't bound when the module is loaded. A use becomes `__podpy_later__["MODULE:NAME"]`
(`Later`, podpy/_start.py), which imports it at the first use and keeps it. A class is marshalled code in its module,
which creates the class when its attribute is first read; pickle and other modules find it so, too. A name of a
constant number or text is replaced by its value.

In the modules of the everyday commands, functions that none of these commands calls wait, too (podpy/pack/called.py).
Waiting costs a function that is used as much as it saves for one that isn't.

An import inside a function becomes a `Later`, too: this avoids importlib, which costs as much as the module itself.

These stay unchanged: imports of other packages; a name that is used while the module is loaded (tables, defaults,
decorators, bases of classes that don't wait); a name that is bound twice anywhere in the module, even as a local
variable; an imported name that other modules import from here, or that a table names.
"""

from __future__ import annotations

import ast
import errno
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

LATER = "__podpy_later__"
"""The builtin's name under which podpy/_start.py stores its `Later`."""
_NATIVE = "podpy._native"  # made by the C compiler, so not in the pack

_NAMED = re.compile(r"(podpy[\w.]*):(\w+)")  # the option table's form of a command's function

_ERRNO = "errno"  # importing it takes 200,000 instructions, and its numbers are those of this machine

Trees = dict[str, ast.Module]
Value = int | str | bytes


class Names:
    """What all modules together know about each name."""

    def __init__(self, trees: Trees, called: dict[str, set[str]] | None = None) -> None:
        """`trees`: every module in the pack, by name; they aren't changed. `called`: the functions that don't wait, by
        module; in a module that it lacks no function waits.
        """
        self._trees = trees
        self.called = called or {}
        self.constants: dict[str, dict[str, Value]] = {name: dict(_constants(tree)) for name, tree in trees.items()}
        self.constants[_ERRNO] = {name: value for name, value in vars(errno).items() if isinstance(value, int)}
        self.exported: set[tuple[str, str]] = set()
        self._bound: dict[str, set[str]] = {}
        for name, tree in trees.items():
            self._note_exports(tree)
            self._bound[name] = {*_Uses(tree).bindings}

    def is_module(self, name: str) -> bool:
        """Return whether the pack has a module of this name."""
        return name in self._trees

    def has(self, module: str, attribute: str) -> bool:
        """Return whether a module has this attribute, in the pack; a package may have modules that aren't in it."""
        return not attribute or attribute in self._bound.get(module, (attribute,))

    def targets(self, node: ast.stmt) -> dict[str, tuple[str, str]]:
        """Return what an import statement of the module's top binds: name → (module, attribute, or empty)."""
        found: dict[str, tuple[str, str]] = {}
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name == _ERRNO or (alias.asname and self.is_module(alias.name)):
                    found[alias.asname or alias.name] = (alias.name, "")
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                if self.is_module(whole):
                    found[alias.asname or alias.name] = (whole, "")
                elif self.is_module(node.module) or node.module in (_NATIVE, _ERRNO):
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
    """Change a module's tree: names that can wait do. Return the classes and functions that were taken out."""
    imported = {bound: target for node in tree.body for bound, target in names.targets(node).items()}
    everywhere = _Uses(tree)
    bindings = {**everywhere.bindings, **dict.fromkeys(everywhere.patterns, 0)}
    free = {bound: target for bound, target in imported.items() if bindings[bound] == 1}
    _Inline(free, names.constants).visit(tree)
    parts = _parts(tree, bindings, names.called.get(name))
    uses = _Uses(tree)
    tree.body = [node for node in tree.body if node not in parts.values()]
    at_once = _Uses(tree).at_once
    targets = {part: (name, part) for part in parts}
    for bound, (module, attribute) in free.items():
        is_idle = bound not in uses.read if module == _ERRNO else bound not in at_once
        if is_idle and (name, bound) not in names.exported:
            targets[bound] = (module, attribute)
    rewrite = _Rewrite(targets, names)
    rewrite.visit(tree)
    return {part: rewrite.visit(node) for part, node in parts.items()}


def _parts(tree: ast.Module, bindings: dict[str, int], called: set[str] | None) -> dict[str, ast.stmt]:
    """Return the classes, and the functions not in `called`, that nothing uses while the module is loaded.

    Decorated ones aren't among them: a decorator may have other effects.
    """
    parts: dict[str, ast.stmt] = {
        node.name: node
        for node in tree.body
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and not node.decorator_list
        and bindings[node.name] == 1
        and not (node.name.startswith("__") and node.name.endswith("__"))
        and (isinstance(node, ast.ClassDef) or (called is not None and node.name not in called))
    }
    while True:
        rest = ast.Module([node for node in tree.body if node not in parts.values()], [])
        needed = _Uses(rest).at_once & parts.keys()
        if not needed:
            return parts
        for name in needed:
            del parts[name]


class _Uses(ast.NodeVisitor):
    """How often each name is bound in a module, which names are read, and which of these while it is loaded.

    Annotations aren't evaluated; `lean` has taken them out.
    """

    def __init__(self, tree: ast.Module) -> None:
        self.bindings: dict[str, int] = {}
        self.read: set[str] = set()
        self.at_once: set[str] = set()
        self.patterns: set[str] = set()  # which can't contain the expression that replaces a name
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
        self.read.add(node.id)
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

    def visit_MatchClass(self, node: ast.MatchClass) -> None:
        self.patterns.update(part.id for part in ast.walk(node.cls) if isinstance(part, ast.Name))
        self.generic_visit(node)

    def visit_MatchMapping(self, node: ast.MatchMapping) -> None:
        self._bind(node.rest)
        self.generic_visit(node)


class _Inline(ast.NodeTransformer):
    """Replaces the imported names of constants by their values: `CODE`, `module.CODE`."""

    def __init__(self, imported: dict[str, tuple[str, str]], constants: dict[str, dict[str, Value]]) -> None:
        self._imported = imported
        self._constants = constants

    def _value(self, node: ast.expr, module: str, attribute: str) -> ast.expr:
        values = self._constants.get(module, {})
        return ast.copy_location(ast.Constant(values[attribute]), node) if attribute in values else node

    def visit_Name(self, node: ast.Name) -> ast.AST:
        module, attribute = self._imported.get(node.id, ("", ""))
        return self._value(node, module, attribute)

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        if isinstance(node.value, ast.Name):
            module, attribute = self._imported.get(node.value.id, ("", ""))
            return node if attribute else self._value(node, module, node.attr)
        return self.generic_visit(node)


class _Rewrite(ast.NodeTransformer):
    """Removes names from a module's imports, and puts `Later` where they are read and where functions import."""

    def __init__(self, targets: dict[str, tuple[str, str]], names: Names) -> None:
        self._targets = targets
        self._names = names
        self._depth = 0  # of nested functions

    def visit_Module(self, node: ast.Module) -> ast.AST:
        node.body = [left for child in node.body for left in self._without(child)]
        return self.generic_visit(node)

    def _without(self, node: ast.stmt) -> Iterable[ast.stmt]:
        if isinstance(node, ast.Import | ast.ImportFrom):
            node.names = [alias for alias in node.names if (alias.asname or alias.name) not in self._targets]
            if not node.names:
                return []
        return [node]

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.AST:
        self._depth += 1
        self.generic_visit(node)
        self._depth -= 1
        return node

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.ImportFrom | list[ast.stmt]:
        found = self._names.targets(node)
        if (
            not self._depth
            or len(found) < len(node.names)
            or not all(self._names.has(*each) for each in found.values())
        ):
            return node
        return [
            ast.copy_location(ast.Assign([ast.Name(bound, ast.Store())], _later(*target)), node)
            for bound, target in found.items()
        ]

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return ast.copy_location(_later(*self._targets[node.id]), node) if node.id in self._targets else node


def _later(module: str, attribute: str) -> ast.expr:
    return ast.Subscript(ast.Name(LATER, ast.Load()), ast.Constant(f"{module}:{attribute}"), ast.Load())


def _constants(tree: ast.Module) -> Iterator[tuple[str, Value]]:
    """Yield the module's names that are bound once, to a number or text, with their values."""
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
            yield target.id, node.value.value
