"""Mounts by descriptor, with options as OCI's runtime spec writes them: what an OCI runtime does with its list."""

from __future__ import annotations

import os

from podpy import beneath, linux

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

# Word → flag, and whether the word sets it (mount(8), runtime-spec config.md: Linux mount options).
_FLAGS = {
    "ro": (linux.MS_RDONLY, True),
    "rw": (linux.MS_RDONLY, False),
    "nosuid": (linux.MS_NOSUID, True),
    "suid": (linux.MS_NOSUID, False),
    "nodev": (linux.MS_NODEV, True),
    "dev": (linux.MS_NODEV, False),
    "noexec": (linux.MS_NOEXEC, True),
    "exec": (linux.MS_NOEXEC, False),
    "noatime": (linux.MS_NOATIME, True),
    "relatime": (linux.MS_RELATIME, True),
    "strictatime": (linux.MS_STRICTATIME, True),
}
_PROPAGATIONS = {
    "private": linux.MS_PRIVATE,
    "rprivate": linux.MS_PRIVATE | linux.MS_REC,
    "slave": linux.MS_SLAVE,
    "rslave": linux.MS_SLAVE | linux.MS_REC,
    "shared": linux.MS_SHARED,
    "rshared": linux.MS_SHARED | linux.MS_REC,
    # An unbindable mount would be left out when the runtime binds the tree that it is in.
    "unbindable": linux.MS_PRIVATE,
    "runbindable": linux.MS_PRIVATE | linux.MS_REC,
}
_KEPT = (
    (os.ST_RDONLY, linux.MS_RDONLY),
    (os.ST_NOSUID, linux.MS_NOSUID),
    (os.ST_NODEV, linux.MS_NODEV),
    (os.ST_NOEXEC, linux.MS_NOEXEC),
)


def parse(options: Sequence[str]) -> tuple[int, str]:
    """Return mount(2)'s flags and its data, which is for the file system itself."""
    flags, data = 0, []
    for option in options:
        if option in _FLAGS:
            flags = _with(flags, option)
        elif option not in _PROPAGATIONS:
            data.append(option)
    return flags, ",".join(data)


def make(kind: str, place: str, flags: int, data: str) -> int:
    """Mount a new file system at a path of podpy's own, which is made; return its top's descriptor. Raises OSError."""
    os.makedirs(place, mode=0o700, exist_ok=True)
    linux.mount(kind, place, kind, flags, data)
    return linux.open_tree(linux.AT_FDCWD, place, linux.OPEN_TREE_CLOEXEC)


def move(tree: int, place: int) -> int:
    """Move the mount whose top `tree` is onto the file that `place` is; return `tree`. It is closed upon an error."""
    try:
        flags = linux.MOVE_MOUNT_F_EMPTY_PATH | linux.MOVE_MOUNT_T_EMPTY_PATH
        linux.move_mount(tree, "", place, "", flags)
    except BaseException:
        os.close(tree)
        raise
    return tree


def change(tree: int, options: Sequence[str]) -> None:
    """Give a mount the flags that its options name, itself alone, and its propagation. Raises OSError."""
    there = os.fstatvfs(tree).f_flag
    kept = sum(flag for shown, flag in _KEPT if there & shown)
    flags = kept
    for option in options:
        flags = _with(flags, option)
    if flags != kept:
        _remount(tree, flags, kept)
    propagate(tree, options)


def propagate(tree: int, options: Sequence[str]) -> None:
    """Set the propagation that the options name. Raises OSError."""
    for option in options:
        if option in _PROPAGATIONS:
            linux.mount(None, beneath.magic_path(tree), None, _PROPAGATIONS[option])


def _with(flags: int, option: str) -> int:
    flag, is_set = _FLAGS.get(option, (0, True))
    return flags | flag if is_set else flags & ~flag


def _remount(tree: int, flags: int, kept: int) -> None:
    path, how = beneath.magic_path(tree), linux.MS_REMOUNT | linux.MS_BIND
    try:
        linux.mount(None, path, None, how | flags)
    except PermissionError:
        # What the user's namespace may not give up stays, as in crun and runc: mount_namespaces(7), locked flags.
        linux.mount(None, path, None, how | flags | kept)
