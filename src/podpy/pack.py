"""All modules in one file: an import then costs no look-ups, no `stat`, no `open`.

`podpy run` loads about a hundred small modules. Found one by one they cost half of its start; from one file of
marshalled code, half of that. The file is made when podpy is installed (setup.py), is good only for the Python that
made it (its name has the interpreter's cache tag), and is read by podpy/_start.py. Without it everything works, only
slower. Three hundred modules are in it, so only what is imported is read:

    8 bytes     the index's size, little-endian
    the index   marshalled: name → (whether it is a package, offset, size, the names of the modules in the pack that
                it imports at its top)
    the code    of each module, marshalled, one after the other; offsets count from its beginning; a package whose
                __init__.py is only a docstring has none

Beside it the byte code of podpy/_start.py is written, for the launcher and for conmon's exit command.

    python -m podpy.pack       makes it for the package that this very module is in
"""

from __future__ import annotations
import __future__

import ast
import marshal
import os
import py_compile
import sys

INDEX_SIZE = 8  # bytes
# Needed when podpy is built, or found without the pack.
_LEFT_OUT = ("podpy/cli/declare/", "podpy/pack.py", "podpy/_start.py", "podpy/__main__.py")


def pack_path(package: str) -> str:
    """Return where the pack of the package directory `package` is, for this interpreter."""
    return os.path.join(package, "_bin", f"modules-{sys.implementation.cache_tag}.pack")


def build(package: str) -> str:
    """Compile every module of the package directory into its pack, written aside and renamed; return its path."""
    index = {}
    code = b""
    base = os.path.dirname(package)
    for directory, names, files in os.walk(package):
        names[:] = sorted(name for name in names if name != "__pycache__")
        for file in sorted(files):
            path = os.path.relpath(os.path.join(directory, file), base)
            if file.endswith(".py") and not path.startswith(_LEFT_OUT):
                body = _body(os.path.join(base, path))
                compiled = b"" if _is_bare(body) else _compiled(base, path)
                imports = _imports(body, base)
                is_package = path.endswith("/__init__.py")
                # Interned: marshal writes each name once.
                index[sys.intern(_module_name(path))] = (is_package, len(code), len(compiled), imports)
                code += compiled
    target = pack_path(package)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    with open(target + ".new", "wb") as out:
        head = marshal.dumps(index)
        out.write(len(head).to_bytes(INDEX_SIZE, "little") + head + code)
    os.replace(target + ".new", target)
    _compile_start(package)
    return target


def _compile_start(package: str) -> None:
    py_compile.compile(
        os.path.join(package, "_start.py"),
        os.path.join(package, f"_start.{sys.implementation.cache_tag}.pyc"),
        doraise=True,
        optimize=2,
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
    )


def _body(path: str) -> list[ast.stmt]:
    with open(path, "rb") as file:
        return ast.parse(file.read()).body


def _imports(body: list[ast.stmt], base: str) -> tuple[str, ...]:
    """Return the modules of ours that these statements import, in order, once each."""
    found: dict[str, None] = {}
    for node in body:
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            modules = [name for alias in node.names if _is_ours(name := f"{node.module}.{alias.name}", base)]
            names = modules if len(modules) == len(node.names) else [node.module, *modules]
        found.update((name, None) for name in names if _is_ours(name, base))
    return tuple(sys.intern(name) for name in found)


def _is_ours(name: str, base: str) -> bool:
    # What isn't a file is a thing in a module, or made by the C compiler (podpy._native).
    path = name.replace(".", "/")
    if not path.startswith("podpy") or f"{path}.py".startswith(_LEFT_OUT) or f"{path}/".startswith(_LEFT_OUT):
        return False
    path = os.path.join(base, path)
    return os.path.exists(path + ".py") or os.path.exists(path + "/__init__.py")


def _is_bare(body: list[ast.stmt]) -> bool:
    """Return whether a module's code does nothing: it is a docstring, or empty."""
    return all(isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) for node in body)


def _module_name(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _compiled(base: str, path: str) -> bytes:
    """Return a module's marshalled code, without docstrings and without what only a type checker reads."""
    with open(os.path.join(base, path), "rb") as file:
        tree = _Lean().visit(ast.parse(file.read()))
    flags = __future__.annotations.compiler_flag
    code = compile(ast.fix_missing_locations(tree), path, "exec", flags=flags, dont_inherit=True, optimize=2)
    return marshal.dumps(code)


class _Lean(ast.NodeTransformer):
    """Leaves out the annotations of functions and of a module's variables, `if TYPE_CHECKING:`, `from __future__`.

    They were a tenth of the code, and reading it is most of what a module costs. Those in a class's body stay:
    podpy.record reads them.
    """

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        given = node.args
        for argument in [*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg]:
            if argument is not None:
                argument.annotation = None
        node.returns = None
        return self.generic_visit(node)

    def visit_Module(self, node: ast.Module) -> ast.AST:
        node.body = [left for child in node.body for left in self._plain(child)]
        return self.generic_visit(node)

    def _plain(self, node: ast.stmt) -> list[ast.stmt]:
        """Return a statement of a module without the type of its variable; nothing if that was all."""
        if not isinstance(node, ast.AnnAssign):
            return [node]
        if node.value is None:
            return [] if isinstance(node.target, ast.Name) else [node]
        return [ast.copy_location(ast.Assign([node.target], node.value), node)]

    def visit_If(self, node: ast.If) -> ast.AST | list[ast.stmt]:
        if isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            return [statement for child in node.orelse for statement in [self.visit(child)]]
        return self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> ast.AST | None:
        target = node.targets[0]
        is_switch = isinstance(target, ast.Name) and target.id == "TYPE_CHECKING"
        return None if is_switch else self.generic_visit(node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST | None:
        return None if node.module == "__future__" else node


if __name__ == "__main__":
    print(build(os.path.dirname(os.path.abspath(__file__))))
