"""All modules in one file: an import then costs no look-ups, no `stat`, no `open`.

`podpy run` loads about a hundred small modules. Found one by one they cost half of its start; from one file of
marshalled code, half of that. The file is made when podpy is installed (setup.py), is good only for the Python that
made it (its name has the interpreter's cache tag), and is read by podpy/_start.py. Without it everything works, only
slower. Three hundred modules are in it, so only what is imported is read:

    8 bytes     the index's size, little-endian
    the index   marshalled: name → (path below site-packages, whether it is a package, offset, size)
    the code    of each module, marshalled, one after the other; offsets count from its beginning

    python -m podpy.pack       makes it for the package that this very module is in
"""

from __future__ import annotations

import marshal
import os
import sys

# The everyday commands never need these, and what draws help or talks to registries needs far slower libraries anyway.
INDEX_SIZE = 8  # bytes
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
                compiled = _compiled(base, path)
                index[_module_name(path)] = (path, path.endswith("/__init__.py"), len(code), len(compiled))
                code += compiled
    target = pack_path(package)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    with open(target + ".new", "wb") as out:
        head = marshal.dumps(index)
        out.write(len(head).to_bytes(INDEX_SIZE, "little") + head + code)
    os.replace(target + ".new", target)
    return target


def _module_name(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _compiled(base: str, path: str) -> bytes:
    """Return a module's marshalled code, without docstrings."""
    with open(os.path.join(base, path), "rb") as file:
        code = compile(file.read(), path, "exec", dont_inherit=True, optimize=2)
    return marshal.dumps(code)


if __name__ == "__main__":
    print(build(os.path.dirname(os.path.abspath(__file__))))
