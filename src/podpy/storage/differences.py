"""What differs between two stacks of layers: what `podpy diff` prints.

Each stack is merged in memory as overlay shows it (whiteouts, opaque directories), so nothing is mounted and it works
with every driver. What the two have in common is the same file of the same layer and is compared by that.
"""

from __future__ import annotations

import os
import stat

from podpy.errors import StorageError
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

CHANGED, ADDED, DELETED = "C", "A", "D"
_OPAQUE = ("user.overlay.opaque", "trusted.overlay.opaque", "user.fuseoverlayfs.opaque")
_WHITEOUT = ("user.overlay.whiteout", "trusted.overlay.whiteout")


class Change(Record):
    """One path that was changed (C), added (A) or deleted (D)."""

    kind: str
    path: str


class _Entry:
    """A file or directory: its status in the layer that shows it, and what is in it."""

    __slots__ = ("children", "status")

    def __init__(self, status: os.stat_result) -> None:
        self.status = status
        self.children: dict[str, _Entry] = {}


def between(old: Sequence[str], new: Sequence[str], *, owners: bool = True) -> list[Change]:
    """Return what is different in `new`, by path. Both are directories of layers, the lowest first.

    Without `owners` these aren't compared: the layers of one stack may be shifted. To be called in the user's
    namespaces. Raises OSError, StorageError.
    """
    try:
        return sorted(_compare(_merged(old), _merged(new), "", owners), key=lambda change: change.path)
    except RecursionError:
        raise StorageError("the directories are nested too deeply to be compared") from None


def _merged(layers: Sequence[str]) -> _Entry:
    root = _Entry(os.lstat("/"))
    for number, layer in enumerate(layers):
        _apply(root, layer, whiteouts=number > 0)
    return root


def _apply(target: _Entry, directory: str, *, whiteouts: bool) -> None:
    if whiteouts and any(_attribute(directory, name) == b"y" for name in _OPAQUE):
        target.children.clear()
    with os.scandir(directory) as entries:
        for entry in entries:
            status = entry.stat(follow_symlinks=False)
            if _is_whiteout(entry.path, status):
                target.children.pop(entry.name, None)
                continue
            below = target.children.get(entry.name)
            if below is None or not stat.S_ISDIR(status.st_mode) or not stat.S_ISDIR(below.status.st_mode):
                below = target.children[entry.name] = _Entry(status)
            below.status = status
            if stat.S_ISDIR(status.st_mode):
                _apply(below, entry.path, whiteouts=whiteouts)


def _is_whiteout(path: str, status: os.stat_result) -> bool:
    if stat.S_ISCHR(status.st_mode):
        return status.st_rdev == 0
    if not stat.S_ISREG(status.st_mode) or status.st_size:
        return False
    return any(_attribute(path, name) is not None for name in _WHITEOUT)


def _attribute(path: str, name: str) -> bytes | None:
    try:
        return os.getxattr(path, name, follow_symlinks=False)
    except OSError:
        return None


def _compare(old: _Entry, new: _Entry, path: str, owners: bool) -> Iterator[Change]:
    for name in old.children.keys() - new.children.keys():
        yield Change(kind=DELETED, path=f"{path}/{name}")
    for name, entry in new.children.items():
        here = f"{path}/{name}"
        before = old.children.get(name)
        if before is None:
            yield Change(kind=ADDED, path=here)
            yield from _compare(_Entry(entry.status), entry, here, owners)
            continue
        inside = list(_compare(before, entry, here, owners))
        # A directory is also changed by what is in it.
        if inside or _differ(before.status, entry.status, owners):
            yield Change(kind=CHANGED, path=here)
        yield from inside


def _differ(old: os.stat_result, new: os.stat_result, owners: bool) -> bool:
    if (old.st_dev, old.st_ino) == (new.st_dev, new.st_ino):
        return False
    if old.st_mode != new.st_mode or old.st_rdev != new.st_rdev:
        return True
    if owners and (old.st_uid, old.st_gid) != (new.st_uid, new.st_gid):
        return True
    return not stat.S_ISDIR(new.st_mode) and (old.st_size, old.st_mtime_ns) != (new.st_size, new.st_mtime_ns)
