"""Is there room for what is coming?"""

from __future__ import annotations

import os

from podpy.errors import NoSpaceError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.storage.shelves import Shelves


def check_space(store: Shelves, wanted: int, *, what: str = "it") -> None:
    """Raise NoSpaceError if there is no room for `wanted` bytes; `what` needs at least these."""
    room = os.statvfs(store.graphroot)
    free = room.f_bavail * room.f_frsize
    if wanted > free:
        raise NoSpaceError(
            f"{store.graphroot}: {what} needs more than {wanted >> 20} MiB, and {free >> 20} MiB are free"
        )
