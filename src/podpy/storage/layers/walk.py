"""Directory trees of any depth: paths longer than the kernel takes (PATH_MAX), deeper than recursion goes."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_LONG = 800  # characters: with a name behind it, still below PATH_MAX bytes in any encoding


class Descent:
    """The directories still to visit, depth first, each with the caller's data.

    with Descent() as descent:
        descent.add(top, …)
        for path, … in descent:
            descent.add(f"{path}/{name}", …)

    Its paths are for system calls on the directory and its entries, and to begin added paths with. A long path is
    replaced by one that begins with a descriptor.
    """

    def __init__(self) -> None:
        self._waiting: list[tuple[str, Any] | int] = []  # a number: a descriptor that what stood above it needed

    def __enter__(self) -> Descent:
        return self

    def __exit__(self, *_error: object) -> None:
        for item in self._waiting:
            if isinstance(item, int):
                os.close(item)

    def add(self, path: str, what: Any = None) -> None:
        """Add a directory of the present one to those to visit."""
        self._waiting.append((path, what))

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        while self._waiting:
            item = self._waiting.pop()
            if isinstance(item, int):
                os.close(item)
            else:
                yield self.short(item[0]), item[1]

    def short(self, path: str) -> str:
        """Return a path of the same directory to which names can be appended, while the present one and what is in it
        is visited. To be called before anything is added. Raises OSError.
        """
        if len(path) <= _LONG:
            return path
        descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        self._waiting.append(descriptor)
        return f"/proc/self/fd/{descriptor}/."  # with the dot it isn't the link
