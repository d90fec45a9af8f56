"""What a call has made so far, to be removed if it fails."""

from __future__ import annotations

from podpy.errors import PodpyError
from podpy.notice import warn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class Made:
    """A stack of things that were made, each with what removes it."""

    def __init__(self) -> None:
        self._undo: list[Callable[[], object]] = []

    def add(self, undo: Callable[[], object]) -> None:
        """Note something that was made just now."""
        self._undo.append(undo)

    def remove(self) -> None:
        """Remove everything, the newest first. What can't be removed is told; the rest is removed all the same."""
        while self._undo:
            try:
                self._undo.pop()()
            except (PodpyError, OSError) as error:
                warn(f"undoing what was made: {error}")
