"""What differs between two stacks of layers: what `podpy diff` prints.

Each stack is merged in memory as overlay shows it (whiteouts, opaque directories), so nothing is mounted and it works
with every driver. A path that both show from the same layer is equal.
"""

from __future__ import annotations

import os
import stat

from podpy.record import Record
from podpy.storage.layers.walk import Descent

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
    namespaces. Raises OSError.
    """
    return sorted(_compare(_merged(old), _merged(new), owners), key=lambda change: change.path)


def _merged(layers: Sequence[str]) -> _Entry:
    root = _Entry(os.lstat("/"))
    for number, layer in enumerate(layers):
        _apply(root, layer, whiteouts=number > 0)
    return root


def _apply(root: _Entry, layer: str, *, whiteouts: bool) -> None:
    with Descent() as descent:
        descent.add(layer, root)
        for path, target in descent:
            if whiteouts and any(_attribute(path, name) == b"y" for name in _OPAQUE):
                target.children.clear()
            with os.scandir(path) as entries:
                for entry in entries:
                    status = entry.stat(follow_symlinks=False)
                    if _is_whiteout(entry.path, status):
                        target.children.pop(entry.name, None)
                        continue
                    below = _put(target, entry.name, status)
                    if stat.S_ISDIR(status.st_mode):
                        descent.add(entry.path, below)


def _put(directory: _Entry, name: str, status: os.stat_result) -> _Entry:
    there = directory.children.get(name)
    if there is None or not stat.S_ISDIR(status.st_mode) or not stat.S_ISDIR(there.status.st_mode):
        there = directory.children[name] = _Entry(status)
    there.status = status
    return there


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


class _Pair:
    """The same directory on both sides, to be compared. `told`: its change is reported already, or needn't be."""

    __slots__ = ("new", "old", "path", "told", "up")

    def __init__(self, old: _Entry, new: _Entry, path: str, up: _Pair | None, *, told: bool) -> None:
        self.old, self.new, self.path, self.up, self.told = old, new, path, up, told

    def changed(self) -> Iterator[Change]:
        """Yield the change, and its parent directories as changed."""
        pair: _Pair | None = self
        while pair is not None and not pair.told:
            pair.told = True
            yield Change(kind=CHANGED, path=pair.path)
            pair = pair.up


def _compare(old: _Entry, new: _Entry, owners: bool) -> Iterator[Change]:
    waiting = [_Pair(old, new, "", None, told=True)]
    while waiting:
        pair = waiting.pop()
        for name in pair.old.children.keys() - pair.new.children.keys():
            yield from pair.changed()
            yield Change(kind=DELETED, path=f"{pair.path}/{name}")
        for name, entry in pair.new.children.items():
            here = f"{pair.path}/{name}"
            before = pair.old.children.get(name)
            below = _Pair(before or _Entry(entry.status), entry, here, pair, told=before is None)
            if before is None:
                yield from pair.changed()
                yield Change(kind=ADDED, path=here)
            elif _differ(before.status, entry.status, owners):
                yield from below.changed()
            if below.old.children or entry.children:
                waiting.append(below)


def _differ(old: os.stat_result, new: os.stat_result, owners: bool) -> bool:
    if (old.st_dev, old.st_ino) == (new.st_dev, new.st_ino):
        return False
    if old.st_mode != new.st_mode or old.st_rdev != new.st_rdev:
        return True
    if owners and (old.st_uid, old.st_gid) != (new.st_uid, new.st_gid):
        return True
    return not stat.S_ISDIR(new.st_mode) and (old.st_size, old.st_mtime_ns) != (new.st_size, new.st_mtime_ns)
