"""Whether a layer's directory still holds what its tar says: every name, attribute and byte is compared."""

from __future__ import annotations

import os
import stat

from podpy.storage.layers.walk import Descent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_READ = 1 << 20
_FLAGS = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC


def first_difference(one: str, other: str) -> str | None:
    """Return the path, relative to both directories, of something that isn't the same in them; None if all is.

    Owner and mode of directories aren't compared: a tar needn't name a directory, and then its layer takes them from
    the layer below. To be called in the user's namespaces. Raises OSError.
    """
    return next(_differences(one, other), None)


def _differences(one: str, other: str) -> Iterator[str]:
    with Descent() as descent, Descent() as beside:
        descent.add(one, "")
        beside.add(other)
        for (path, where), (twin, _) in zip(descent, beside, strict=True):
            names = sorted(os.listdir(path))
            if names != sorted(os.listdir(twin)):
                yield f"{where}/{min(set(names) ^ set(os.listdir(twin)))}".lstrip("/")
                return
            for name in names:
                if _differ(f"{path}/{name}", f"{twin}/{name}"):
                    yield f"{where}/{name}".lstrip("/")
                    return
            for name in names:
                if stat.S_ISDIR(os.lstat(f"{path}/{name}").st_mode):
                    descent.add(f"{path}/{name}", f"{where}/{name}")
                    beside.add(f"{twin}/{name}")


def _differ(one: str, other: str) -> bool:
    a, b = os.lstat(one), os.lstat(other)
    if stat.S_IFMT(a.st_mode) != stat.S_IFMT(b.st_mode):
        return True
    if stat.S_ISDIR(a.st_mode):
        return False
    if (a.st_mode, a.st_uid, a.st_gid, a.st_rdev, a.st_size) != (b.st_mode, b.st_uid, b.st_gid, b.st_rdev, b.st_size):
        return True
    if stat.S_ISLNK(a.st_mode):
        return os.readlink(one) != os.readlink(other)
    return stat.S_ISREG(a.st_mode) and not _same_bytes(one, other)


def _same_bytes(one: str, other: str) -> bool:
    first, second = os.open(one, _FLAGS), -1
    try:
        second = os.open(other, _FLAGS)
        while True:
            piece = os.read(first, _READ)
            if piece != os.read(second, _READ):
                return False
            if not piece:
                return True
    finally:
        os.close(first)
        if second >= 0:
            os.close(second)
