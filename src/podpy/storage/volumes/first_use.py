"""What an empty volume gets when a container first has it: Podman's rules (podman-run(1), --volume)."""

from __future__ import annotations

import errno
import os

from podpy import beneath
from podpy.record import Record
from podpy.storage.volumes import place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.storage.staging import Staging

# What a volume's row says: an owner that the next container may change; the image's files were copied; an owner that
# stays.
NEW, COPIED, OWNED = 0, 1, 2


class FirstUse(Record):
    """A container that has a volume at `target`.

    `owner`: (uid, gid) of the container's user. copy=False: the image's files stay where they are. as_image=False: the
    owner is always `owner`. Links in `target` are followed within the mounted `rootfs` only.
    """

    rootfs: str
    target: str
    owner: tuple[int, int]
    copy: bool = True
    as_image: bool = True


def fill(mountpoint: str, use: FirstUse, state: int, *, staged_in: str, fixed: tuple[int, int] | None) -> int:
    """Make a volume ready that no image has filled, and return its new state.

    `staged_in`: the graph root, which has a staging area on the volume's file system; empty: nothing that is copied
    must outlive a kill. `fixed`: an owner that the volume has whatever the image says. Raises OSError.
    """
    directory = os.open(mountpoint, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    source = -1
    try:
        if os.listdir(directory):
            return OWNED
        source = _open_inside(use.rootfs, use.target)
        if source >= 0 and use.copy and os.listdir(source):
            _copy(source, directory, staged_in)
            if fixed:
                os.fchown(directory, *fixed)
            return COPIED
        return state if state == OWNED else _give(source if use.as_image else -1, directory, use.owner)
    finally:
        os.close(directory)
        if source >= 0:
            os.close(source)


def _give(source: int, directory: int, owner: tuple[int, int]) -> int:
    """Give the empty volume the owner and mode of the image's directory, or the container's user. Return its state."""
    if source < 0:
        os.fchown(directory, *owner)
        return NEW
    status = os.fstat(source)
    os.fchown(directory, status.st_uid, status.st_gid)
    os.fchmod(directory, status.st_mode & 0o7777)
    os.utime(directory, ns=(status.st_atime_ns, status.st_mtime_ns))
    return OWNED if status.st_uid == status.st_gid == 0 else NEW


def _copy(source: int, target: int, staged_in: str) -> None:
    from podpy.storage.layers import copying

    if not staged_in:
        copying.copy_tree(beneath.magic_path(source), beneath.magic_path(target))
        return
    staging = place.new_staging(staged_in)
    try:
        _copy_aside(source, target, staging)
    finally:
        staging.close()


def _copy_aside(source: int, target: int, staging: Staging) -> None:
    # Copied aside and synced, then renamed: a volume that isn't empty is never filled again, so one that a kill or
    # a power cut left half full would stay that. The directory itself stays: a container may have it mounted.
    from podpy.storage import crash_point
    from podpy.storage.layers import copying, filesystem

    aside = staging.new_path("volume")
    os.mkdir(aside, 0o700)
    copying.copy_tree(beneath.magic_path(source), aside)
    filesystem.sync_filesystem(aside)
    crash_point("volume:copied")
    try:
        for name in os.listdir(aside):
            os.rename(os.path.join(aside, name), name, dst_dir_fd=target)
    except OSError as error:
        if error.errno != errno.EXDEV:  # a volume that is a directory of another file system
            raise
        copying.copy_tree(beneath.magic_path(source), beneath.magic_path(target))
        return
    copying.copy_tree(aside, beneath.magic_path(target))  # there is nothing in it: the owner, mode, attributes
    times = os.fstat(source)
    os.utime(target, ns=(times.st_atime_ns, times.st_mtime_ns))


def _open_inside(rootfs: str, target: str) -> int:
    try:
        return beneath.open_in_root(rootfs, target, os.O_RDONLY | os.O_DIRECTORY)
    except (FileNotFoundError, NotADirectoryError):
        return -1
