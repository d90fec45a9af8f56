"""Base: what Runtime is for its containers: it can be opened again, in another thread or process."""

from __future__ import annotations

from podpy.config.paths import Paths
from podpy.libpod import runtime

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Self


class Base(runtime.Runtime):
    """A Runtime whose containers work in the background; pickled, it is opened again with the same directories."""

    def another(self) -> Self:
        """Return a Runtime of the same store and caller, for another thread."""
        return type(self)(self.paths, caller=self.caller, settings=self.settings)

    def __reduce__(self) -> tuple[object, tuple[object, ...]]:
        return reopened, (type(self), self.paths.graphroot, self.paths.runroot)


def reopened(kind: type[Base], graphroot: str, runroot: str) -> Base:
    """Return a Runtime of these directories, of this process's environment. Raises RootlessError, ConfigError."""
    return kind(Paths.find(graphroot, runroot))


def of_library(engine: object) -> Base:
    """Return the engine as what it is. Raises TypeError if it is the command line's."""
    if not isinstance(engine, Base):
        raise TypeError("not an object of podpy.Runtime")
    return engine
