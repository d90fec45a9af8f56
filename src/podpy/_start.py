"""What the launcher runs, as `python3 -I -S .../podpy/_start.py ARGUMENTS`: no `site`, no environment's paths.

`-S` saves a third of the interpreter's start and `-I` keeps PYTHONPATH, the working directory and the user's packages
out of the engine; so this file names the one directory where podpy and its dependencies are. The modules come out of
one file if there is one (podpy/pack.py). Garbage collection waits: a command of a few milliseconds makes no garbage.
"""

from __future__ import annotations

import _thread
import gc
import marshal
import os
import sys
from _frozen_importlib import ModuleSpec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

PACKAGE = os.path.dirname(os.path.abspath(__file__))
SITE = os.path.dirname(PACKAGE)
_INDEX_SIZE = 8  # bytes: podpy/pack.py
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
        self.index: dict[str, tuple[bool, int, int, tuple[str, ...]]]
        self.index = marshal.loads(os.pread(self.file, size, _INDEX_SIZE))
        self.code = _INDEX_SIZE + size

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        return self._spec(name) if name in self.index else None

    def _spec(self, name: str) -> ModuleSpec:
        is_package = self.index[name][0]
        origin = f"{SITE}/{name.replace('.', '/')}{'/__init__' if is_package else ''}.py"
        spec = ModuleSpec(name, self, origin=origin, is_package=is_package)  # type: ignore[arg-type]
        if is_package:
            spec.submodule_search_locations = [origin.rpartition("/")[0]]
        return spec

    def create_module(self, spec: ModuleSpec) -> None:
        """Let the import system make the module."""

    def exec_module(self, module: ModuleType) -> None:
        _, offset, size, imports = self.index[module.__name__]
        module.__file__ = module.__spec__.origin  # type: ignore[union-attr]
        if imports and not _thread._count():
            loaded = sys.modules
            for name in imports:
                if name not in loaded:
                    self._load(name)
        if size:  # else a package that holds nothing itself
            exec(marshal.loads(os.pread(self.file, size, self.code + offset)), module.__dict__)

    def _load(self, name: str) -> None:
        """Load a module, and its parent packages before it, as `import` would."""
        parent, _, last = name.rpartition(".")
        if parent and parent not in sys.modules:
            self._load(parent)
            if name in sys.modules:
                return
        spec = self._spec(name)
        module = sys.modules[name] = type(sys)(name)
        module.__spec__ = spec
        module.__loader__ = self  # type: ignore[assignment]
        if spec.submodule_search_locations is None:
            module.__package__ = parent
        else:
            module.__package__ = name
            module.__path__ = spec.submodule_search_locations
        try:
            self.exec_module(module)
        except BaseException:
            del sys.modules[name]
            raise
        if parent:
            setattr(sys.modules[parent], last, module)


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
        sys.meta_path.insert(0, Pack(path))
    except (OSError, EOFError, ValueError, TypeError):
        pass


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
    from podpy.cli.main import main

    finish(main(sys.argv[1:]))
