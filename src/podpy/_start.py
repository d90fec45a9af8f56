"""What the launcher runs, as `python3 -I -S .../podpy/_start.py ARGUMENTS`: no `site`, no environment's paths.

`-S` saves a third of the interpreter's start and `-I` keeps PYTHONPATH, the working directory and the user's packages
out of the engine; so this file names the one directory where podpy and its dependencies are. The modules come out of
one file if there is one (podpy/pack.py). Garbage collection waits: a command of a few milliseconds makes no garbage.
"""

from __future__ import annotations

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


class Pack:
    """A finder and loader (importlib's protocol) of the modules in the pack."""

    def __init__(self, modules: dict[str, tuple[str, bool, bytes]]) -> None:
        self.modules = modules

    def find_spec(self, name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        entry = self.modules.get(name)
        if entry is None:
            return None
        origin = os.path.join(SITE, entry[0])
        spec = ModuleSpec(name, self, origin=origin, is_package=entry[1])  # type: ignore[arg-type]
        if entry[1]:
            spec.submodule_search_locations = [os.path.dirname(origin)]
        return spec

    def create_module(self, spec: ModuleSpec) -> None:
        """Let the import system make the module."""

    def exec_module(self, module: ModuleType) -> None:
        module.__file__ = os.path.join(SITE, self.modules[module.__name__][0])
        exec(marshal.loads(self.modules[module.__name__][2]), module.__dict__)


def use_pack() -> None:
    """Find modules in the pack before anywhere else, if there is one for this Python."""
    path = os.path.join(PACKAGE, "_bin", f"modules-{sys.implementation.cache_tag}.pack")
    try:
        with open(path, "rb") as file:
            sys.meta_path.insert(0, Pack(marshal.load(file)))
    except (FileNotFoundError, EOFError, ValueError):
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
