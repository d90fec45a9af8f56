"""Directories that a layer changes without saying anything about them: they stay as the layers below have them.

Overlay shows the topmost layer's directory. If that was only made because an entry lies below it, it would have the
unpacker's owner and mode. The unpacker marks those by their time (IMPLIED); at the commit, when the layers below are
known, they get owner, mode, time and attributes from there, as containerd and umoci do (Podman: root, 0755).
"""

from __future__ import annotations

import os
import stat

from podpy.storage.layers.walk import Descent

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

IMPLIED = 1  # nanoseconds after 1970: unpack.h, PODPY_UNPACK_IMPLIED
_OPAQUE = ("user.overlay.opaque", "trusted.overlay.opaque")
_NOT_INHERITED = ("user.overlay.", "trusted.overlay.", "security.selinux")  # the kernel gives every directory its label


def inherit_directories(layer: str, below: list[str]) -> None:
    """Give the marked directories of an unpacked layer what the layers `below` (topmost first) say. Raises OSError."""
    with Descent() as descent:
        descent.add(layer, below)
        for path, lowers in descent:
            if is_opaque(path):
                continue  # nothing of the layers below is seen there
            lowers = [descent.short(lower) for lower in lowers]
            for name in _directories(path):
                inner = os.path.join(path, name)
                found = _merged(lowers, name)
                if not found:
                    continue
                if os.lstat(inner).st_mtime_ns == IMPLIED:
                    _copy(found[0], inner)
                descent.add(inner, found)


def is_opaque(path: str) -> bool:
    """Return whether a directory hides what lower layers have in it."""
    return any(_attribute(path, name) == b"y" for name in _OPAQUE)


def _directories(path: str) -> Iterator[str]:
    with os.scandir(path) as entries:
        yield from [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]


def _merged(lowers: list[str], name: str) -> list[str]:
    """Return the directories that overlay merges under this name, topmost first."""
    found = []
    for lower in lowers:
        path = os.path.join(lower, name)
        try:
            mode = os.lstat(path).st_mode
        except FileNotFoundError:
            continue
        if not stat.S_ISDIR(mode):
            break  # a whiteout, or something else: what is below it isn't seen
        found.append(path)
        if is_opaque(path):
            break
    return found


def _copy(source: str, target: str) -> None:
    status = os.lstat(source)
    os.chown(target, status.st_uid, status.st_gid)
    os.chmod(target, stat.S_IMODE(status.st_mode))
    for name in os.listxattr(source):
        if not name.startswith(_NOT_INHERITED):
            os.setxattr(target, name, os.getxattr(source, name))
    os.utime(target, ns=(status.st_mtime_ns, status.st_mtime_ns))


def _attribute(path: str, name: str) -> bytes:
    try:
        return os.getxattr(path, name)
    except OSError:
        return b""
