"""Taking away what `podpy mount` and `podpy image mount` have mounted."""

from __future__ import annotations

import os

from podpy import linux
from podpy.errors import StorageError


def unmount(target: str, what: str, *, force: bool) -> None:
    """Unmount `target` and remove the directory; `force`: even while somebody is in it. Raises StorageError."""
    try:
        linux.umount2(target, linux.MNT_DETACH if force else 0)
    except OSError as error:
        raise StorageError(
            f"unmounting {what}: {error.strerror}", hint="Somebody works in it; or use --force"
        ) from error
    os.rmdir(target)
