"""Directory trees however deep: a path may be longer than the kernel takes (PATH_MAX), and no recursion is enough."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_LONG = 800  # characters: with a name behind it, still below PATH_MAX bytes in any encoding


class Descent:
    """The directories that are still to be visited, depth first, each with whatever belongs to it.

    with Descent() as descent:
        descent.add(top, …)
        for path, … in descent:
            descent.add(f"{path}/{name}", …)

    The paths that come out are good for system calls on the directory and what is in it, and as the beginning of the
    paths that are added; where they had become long they begin with a descriptor.
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
        """Visit a directory that lies in the present one, too."""
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
