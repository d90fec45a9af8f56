"""The things that a call has created, to be removed if it fails; if it is killed, by the next call."""

from __future__ import annotations

from podpy.errors import PodpyError
from podpy.notice import warn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from podpy.libpod.runtime import Runtime


class Made:
    """What a call creates. Pods, volumes and secrets are created with `work` as their `part_of`."""

    def __init__(self, runtime: Runtime) -> None:
        self._unfinished = runtime.unfinished()
        self._undo: list[Callable[[], object]] = []

    @property
    def work(self) -> str:
        """The id of the whole."""
        return self._unfinished.id

    def add(self, undo: Callable[[], object]) -> None:
        """Record a change of a thing that isn't new: it is undone only if this call fails."""
        self._undo.append(undo)

    def directory(self, path: str) -> None:
        """Note a directory of the host that is going to be made."""
        self._unfinished.directory(path)

    def file(self, path: str) -> None:
        """Note a file of the host that is going to be made."""
        self._unfinished.file(path)

    def keep(self) -> None:
        """Keep everything."""
        self._unfinished.finish()

    def remove(self) -> None:
        """Remove everything, the newest first. Warn of each failure, and continue."""
        while self._undo:
            try:
                self._undo.pop()()
            except (PodpyError, OSError) as error:
                warn(f"undoing what was made: {error}")
        self._unfinished.undo()
