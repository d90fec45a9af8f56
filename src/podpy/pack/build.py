"""Compiles the package into its pack: all modules in one file.

    8 bytes     the head's size, little-endian
    the head    marshalled: the modules' names, one a line; a table with four numbers of 32 bits for each (offset and
                size of its code, offset of its imports, twice their number plus 1 if it is a package); the imports:
                numbers, of 16 bits, of the modules that each module imports at its top; offsets of the parts and of
                the last one's end
    the code    of each module, marshalled, one after the other; offsets count from the start of this section; a
                package whose __init__.py is only a docstring has none
    the parts   the classes and functions that are created at their first use (podpy/pack/deferred.py), likewise

The byte code of podpy/_start.py is written beside the pack, for the launcher and for conmon's exit command.
"""

from __future__ import annotations
import __future__

import ast
import marshal
import os
import sys
from array import array
from importlib.util import MAGIC_NUMBER
from itertools import accumulate

from podpy.pack.called import CALLED
from podpy.pack.deferred import LATER, Names, defer
from podpy.pack.lean import lean

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

INDEX_SIZE = 8  # bytes
_UNCHECKED = 1  # flags of byte code (PEP 552): based on a hash of the source, never checked
# Modules that only a build needs, or that run before the pack is open.
_LEFT_OUT = ("podpy/cli/declare/", "podpy/pack/", "podpy/_start.py", "podpy/__main__.py")


def pack_path(package: str) -> str:
    """Return the path of this interpreter's pack of the package directory `package`."""
    return os.path.join(package, "_bin", f"modules-{sys.implementation.cache_tag}.pack")


def build(package: str, functions: dict[str, set[str]] | None = None) -> str:
    """Compile every module of the package directory into its pack, written aside and renamed; return its path.

    `functions`: as `called` returns them, which is the default.
    """
    base = os.path.dirname(package)
    paths = {_module_name(path): path for path in _paths(package, base)}
    trees = {name: _read(os.path.join(base, path)) for name, path in paths.items()}
    names = Names(trees, called() if functions is None else functions)
    numbers = {name: number for number, name in enumerate(trees)}
    table, imports = array("I"), array("H")
    code, parts = b"", [b""]
    for name, tree in trees.items():
        own = defer(name, tree, names)
        if own:
            tree.body.insert(0, _prelude(name, own, len(parts)))
            parts += [_compiled(ast.Module([node], []), paths[name]) for node in own.values()]
        compiled = b"" if _is_bare(tree) else _compiled(tree, paths[name])
        imported = [numbers[other] for other in _imports(tree, names)]
        table.extend((len(code), len(compiled), len(imports), 2 * len(imported) + _is_package(paths[name])))
        imports.extend(imported)
        code += compiled
    ends = array("I", accumulate(map(len, parts), initial=len(code)))
    target = pack_path(package)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    with open(target + ".new", "wb") as out:
        head = marshal.dumps(("\n".join(trees), table.tobytes(), imports.tobytes(), ends.tobytes()))
        out.write(len(head).to_bytes(INDEX_SIZE, "little") + head + code + b"".join(parts))
    os.replace(target + ".new", target)
    _compile_start(package)
    return target


def _paths(package: str, base: str) -> Iterator[str]:
    for directory, names, files in os.walk(package):
        names[:] = sorted(name for name in names if name != "__pycache__")
        for file in sorted(files):
            path = os.path.relpath(os.path.join(directory, file), base)
            if file.endswith(".py") and not path.startswith(_LEFT_OUT):
                yield path


def _compile_start(package: str) -> None:
    """Write the byte code of podpy/_start.py, which is never checked against its source (PEP 552)."""
    source = os.path.join(package, "_start.py")
    header = MAGIC_NUMBER + _UNCHECKED.to_bytes(4, "little") + bytes(8)
    target = os.path.join(package, f"_start.{sys.implementation.cache_tag}.pyc")
    with open(target + ".new", "wb") as out:
        out.write(header + _compiled(_read(source), source))
    os.replace(target + ".new", target)


def _read(path: str) -> ast.Module:
    with open(path, "rb") as file:
        return lean(ast.parse(file.read()))


def _imports(tree: ast.Module, names: Names) -> tuple[str, ...]:
    """Return the modules of ours that a module imports at its top, in order, once each."""
    found: dict[str, None] = {}
    for node in tree.body:
        imported = []
        if isinstance(node, ast.Import):
            imported = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            modules = [name for alias in node.names if names.is_module(name := f"{node.module}.{alias.name}")]
            imported = modules if len(modules) == len(node.names) else [node.module, *modules]
        found.update((name, None) for name in imported if names.is_module(name))
    return tuple(found)


def _is_bare(tree: ast.Module) -> bool:
    """Return whether a module has no code: it is empty, or only a docstring."""
    return all(isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) for node in tree.body)


def _is_package(path: str) -> bool:
    return path.endswith("/__init__.py")


def _module_name(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _prelude(name: str, parts: Iterable[str], first: int) -> ast.stmt:
    """Return the statement that finds a module's parts: `__getattr__ = Later.parts(name, (...), first)`; `first` is its
    first part's number.
    """
    function = ast.Attribute(ast.Name(LATER, ast.Load()), "parts", ast.Load())
    own = ast.Tuple([ast.Constant(part) for part in parts], ast.Load())
    call = ast.Call(function, [ast.Constant(name), own, ast.Constant(first)], [])
    return ast.Assign([ast.Name("__getattr__", ast.Store())], call)


def called() -> dict[str, set[str]]:
    """Return the functions that the everyday commands call, by their module's name."""
    entries = CALLED.replace("\n ", "").split("\n")
    return {module: {*functions.split()} for module, _, functions in (entry.partition(":") for entry in entries)}


def _compiled(tree: ast.Module, path: str) -> bytes:
    flags = __future__.annotations.compiler_flag
    return marshal.dumps(
        compile(ast.fix_missing_locations(tree), path, "exec", flags=flags, dont_inherit=True, optimize=2)
    )
