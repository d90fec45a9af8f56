"""What the launcher runs, as `python3 -I -S .../podpy/_start.py ARGUMENTS`: no `site`, no environment's paths.

`-S` saves a third of the interpreter's start and `-I` keeps PYTHONPATH, the working directory and the user's packages
out of the engine; so this file names the one directory where podpy and its dependencies are. The modules come out of
one file if there is one (podpy/pack/). Garbage collection waits: a command of a few milliseconds makes no garbage.

`os` takes two abstract classes and a function from `_collections_abc`, which makes 25 more when it is imported: a tenth
of the start of a short command. So a stand-in is there meanwhile; who needs the real one imports it later.
"""

from __future__ import annotations

import _imp
import _thread
import builtins
import gc
import marshal
import sys
from _frozen_importlib import ModuleSpec
from _frozen_importlib_external import ExtensionFileLoader, spec_from_file_location

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, ItemsView, Iterator, KeysView, ValuesView
    from types import ModuleType


class Variables:
    """What `os.environ` has from MutableMapping; it isn't one for `isinstance`."""

    if TYPE_CHECKING:

        def __iter__(self) -> Iterator[str]: ...
        def __getitem__(self, name: str) -> str: ...
        def __setitem__(self, name: str, value: str) -> None: ...
        def __delitem__(self, name: str) -> None: ...

    def _all(self) -> dict[str, str]:
        return {name: self[name] for name in self}

    def keys(self) -> KeysView[str]:
        return self._all().keys()

    def values(self) -> ValuesView[str]:
        return self._all().values()

    def items(self) -> ItemsView[str, str]:
        return self._all().items()

    def __contains__(self, name: str) -> bool:
        return self.get(name) is not None

    def __eq__(self, other: object) -> bool:
        return self._all() == (other._all() if isinstance(other, Variables) else other)

    def get(self, name: str, default: str | None = None) -> str | None:
        try:
            return self[name]
        except KeyError:
            return default

    def pop(self, name: str, *default: str) -> str:
        try:
            value = self[name]
        except KeyError:
            if default:
                return default[0]
            raise
        del self[name]
        return value

    def popitem(self) -> tuple[str, str]:
        for name in self:
            return name, self.pop(name)
        raise KeyError

    def clear(self) -> None:
        for name in self:
            del self[name]

    def update(self, *more: object, **named: str) -> None:
        for name, value in dict(*more, **named).items():
            self[name] = value


def _check_methods(kind: type, *names: str) -> object:
    import _collections_abc

    return _collections_abc._check_methods(kind, *names)  # type: ignore[attr-defined]


def _load_os() -> ModuleType:
    name = "_collections_abc"
    if "os" in sys.modules or name in sys.modules:
        import os

        return os
    stand_in = sys.modules[name] = type(sys)(name)
    stand_in.__dict__.update(MutableMapping=Variables, Mapping=dict, _check_methods=_check_methods)
    try:
        import os
    finally:
        del sys.modules[name]
    return os


if TYPE_CHECKING:
    import os
else:
    os = _load_os()

PACKAGE = os.path.dirname(os.path.abspath(__file__))
SITE = os.path.dirname(PACKAGE)
_INDEX_SIZE = 8  # bytes: podpy/pack/build.py
_DYNLOAD = [path for path in sys.path if path.endswith("/lib-dynload")]
_C_MODULES = {"podpy._native": [PACKAGE], "_cffi_backend": [SITE], "_json": _DYNLOAD, "_sqlite3": _DYNLOAD}
_FAR = range(900, 1024)  # where a descriptor is in nobody's way; the usual limit is 1024


class Pack:
    """A finder and loader (importlib's protocol) of the modules in the pack. It stays open: an installer may replace it
    while this call runs.

    What a module imports at its top is loaded before it, without importlib: its locks, specs and hooks cost as much as
    half of the modules themselves. They guard threads against half loaded modules, so where there are threads importlib
    does it all.
    """

    def __init__(self, path: str) -> None:
        """Open a pack. Raises OSError, and EOFError, ValueError or TypeError if it is none."""
        self.file = _out_of_the_way(os.open(path, os.O_RDONLY | os.O_CLOEXEC))
        size = int.from_bytes(os.pread(self.file, _INDEX_SIZE, 0), "little")
        names, table, imports, ends = marshal.loads(os.pread(self.file, size, _INDEX_SIZE))
        self.names: list[str] = names.split("\n")
        self.table = memoryview(table).cast("I")
        self.imports = memoryview(imports).cast("H")
        self.ends = memoryview(ends).cast("I")  # of the parts, each where the next one begins
        self.index = dict(zip(self.names, range(0, len(self.table), 4), strict=True))
        self.code = _INDEX_SIZE + size

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        return self._spec(name) if name in self.index else _c_module(name)

    def _spec(self, name: str) -> ModuleSpec:
        spec = ModuleSpec(name, self, origin=self._file(name), is_package=self._is_package(name))  # type: ignore[arg-type]
        if spec.submodule_search_locations is not None:
            spec.submodule_search_locations = [f"{SITE}/{name.replace('.', '/')}"]
        return spec

    def _is_package(self, name: str) -> bool:
        return bool(self.table[self.index[name] + 3] & 1)

    def _file(self, name: str) -> str:
        return f"{SITE}/{name.replace('.', '/')}{'/__init__' if self._is_package(name) else ''}.py"

    def create_module(self, spec: ModuleSpec) -> None:
        """Let the import system make the module."""

    def exec_module(self, module: ModuleType) -> None:
        name = module.__name__
        offset, size, first, count = self.table[(number := self.index[name]) : number + 4]
        module.__file__ = self._file(name)
        if count > 1 and not _thread._count():
            loaded = sys.modules
            for imported in self.imports[first : first + (count >> 1)]:
                name = self.names[imported]
                if name not in loaded:
                    self._load(name)
        if size:  # else a package that holds nothing itself
            exec(marshal.loads(os.pread(self.file, size, self.code + offset)), module.__dict__)

    def _load(self, name: str) -> None:
        """Load a module, and its parent packages before it, as `import` would, but for `__spec__`, which nobody reads:
        making it takes as long as half of the rest.
        """
        parent, _, last = name.rpartition(".")
        if parent and parent not in sys.modules:
            self._load(parent)
            if name in sys.modules:
                return
        module = sys.modules[name] = type(sys)(name)
        module.__loader__ = self  # type: ignore[assignment]
        if self._is_package(name):
            module.__package__ = name
            module.__path__ = [f"{SITE}/{name.replace('.', '/')}"]
        else:
            module.__package__ = parent
        try:
            self.exec_module(module)
        except BaseException:
            del sys.modules[name]
            raise
        if parent:
            setattr(sys.modules[parent], last, module)


def _c_module(name: str) -> ModuleSpec | None:
    """Find one of the C modules that nearly every command needs. The usual finder lists whole directories for it."""
    for directory in _C_MODULES.get(name, ()):
        path = directory + "/" + name.rpartition(".")[2]
        for suffix in _imp.extension_suffixes():
            if os.path.exists(path + suffix):
                return spec_from_file_location(name, path + suffix, loader=ExtensionFileLoader(name, path + suffix))
    return None


class Later(dict[str, object]):
    """What modules import when they first use it (podpy/pack/deferred.py): `module:name`, or `module:` for the module
    itself. Each is looked up once and kept.
    """

    def __init__(self, pack: Pack) -> None:
        self.pack = pack

    def __missing__(self, target: str) -> object:
        name, _, attribute = target.partition(":")
        if name not in sys.modules and not _thread._count() and name in self.pack.index:
            self.pack._load(name)
        else:
            __import__(name)  # waits for a thread that is about to load it
        module = sys.modules[name]
        return self.setdefault(target, getattr(module, attribute) if attribute else module)

    def parts(self, name: str, parts: tuple[str, ...], first: int) -> Callable[[str], object]:
        """Return the `__getattr__` (PEP 562) of a module whose classes and rare functions are made when they are first
        used; `first`: the number of its first part. If two threads make one at the same time, the first one's counts.
        """
        pack = self.pack

        def get(attribute: str) -> object:
            if attribute not in parts:
                raise AttributeError(f"module {name!r} has no attribute {attribute!r}")
            begin, end = pack.ends[(number := first + parts.index(attribute)) : number + 2]
            namespace = sys.modules[name].__dict__
            made: dict[str, object] = {}
            exec(marshal.loads(os.pread(pack.file, end - begin, pack.code + begin)), namespace, made)
            return namespace.setdefault(attribute, made[attribute])

        return get


def _out_of_the_way(descriptor: int) -> int:
    # The numbers from 3 on are the caller's: --preserve-fds, LISTEN_FDS. (fcntl's F_DUPFD would be one more import.)
    for far in _FAR:
        try:
            os.fstat(far)
        except OSError:  # nobody has it
            break
    else:
        return descriptor
    try:
        os.dup2(descriptor, far, inheritable=False)
    except OSError:  # the limit is lower
        return descriptor
    os.close(descriptor)
    return far


def use_pack() -> None:
    """Find modules in the pack before anywhere else, if there is one for this Python."""
    path = os.path.join(PACKAGE, "_bin", f"modules-{sys.implementation.cache_tag}.pack")
    try:
        pack = Pack(path)
        builtins.__podpy_later__ = Later(pack)  # type: ignore[attr-defined]
        sys.meta_path.insert(0, pack)
    except (OSError, EOFError, ValueError, TypeError):
        pass


class SystemPackages:
    """The last finder: modules that pip didn't install beside podpy, because the system has them and podpy's place
    counts them in: a venv with --system-site-packages, or a user's own directory (`pip install --user`).
    """

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """Return the spec of a module that was found nowhere else, or None."""
        from importlib.machinery import PathFinder

        return PathFinder.find_spec(name, system_places(SITE)) if path is None else None


def system_places(place: str) -> list[str]:
    """Return the system's directories of packages that count for what is installed in `place` (venv(3), pyvenv.cfg)."""
    if not place.endswith("-packages"):  # a checkout
        return []
    try:
        with open(place.rsplit("/", 3)[0] + "/pyvenv.cfg", encoding="utf-8") as file:
            words = [line.replace(" ", "").strip().lower() for line in file]
    except OSError:
        words = ["include-system-site-packages=true"]
    if "include-system-site-packages=true" not in words:
        return []
    import site

    return [each for each in site.getsitepackages([sys.base_prefix]) if each != place]


def finish(status: int) -> None:
    """End at once: tearing the interpreter down costs milliseconds and does nothing that the kernel won't."""
    for stream in (sys.stdout, sys.stderr):
        if stream is None:  # it was closed when podpy was started
            continue
        try:
            stream.flush()
        except OSError:
            status = status or 125
    os._exit(status)


if __name__ == "__main__":
    gc.set_threshold(100_000)
    sys.path.append(SITE)
    if "podpy_site" in sys._xoptions:  # the launcher of a checkout: dependencies are elsewhere
        sys.path.append(str(sys._xoptions["podpy_site"]))
    use_pack()
    sys.meta_path.append(SystemPackages)
    if "podpy_generator" in sys._xoptions:  # the launcher podpy-system-generator
        from podpy.cli.generator import main
    else:
        from podpy.cli.main import main

    finish(main(sys.argv[1:]))
