"""Volumes with options, mounted at their directory in the mount namespace of who uses them.

A bind mount is the same wherever it is made. A tmpfs, and whatever else has files of its own, is one for all containers
that run: the next container takes a copy of the mount of one that has it (`borrow`).
"""

from __future__ import annotations

import errno
import os

from podpy import beneath, linux
from podpy.errors import StorageError
from podpy.rootless.mounts import mount_points
from podpy.storage.volumes import driver

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.storage.volumes.volume import Volume


def is_mounted(volume: Volume, process: str = "self") -> bool:
    """Return whether something is mounted at the volume's directory as a process (its pid) sees it."""
    try:
        return os.path.realpath(volume.mountpoint) in mount_points(process)
    except FileNotFoundError:
        return False  # the process has ended


def is_shared(volume: Volume) -> bool:
    """Return whether what is mounted has files of its own, so that all containers must have the same mount.

    Raises StorageError for options that say no mount.
    """
    return not driver.request(volume.options).bind


def mount(volume: Volume) -> None:
    """Mount what the volume's options say. Raises StorageError, which doesn't name the volume."""
    wanted = driver.request(volume.options)
    try:
        if not wanted.bind:
            linux.mount(wanted.source, volume.mountpoint, wanted.type, wanted.flags, wanted.data or None)
            return
        recursive = linux.MS_REC if wanted.recursive else 0
        linux.mount(wanted.source, volume.mountpoint, None, linux.MS_BIND | recursive)
        if wanted.flags:
            _set_flags(volume.mountpoint, wanted.flags)
    except OSError as error:
        raise StorageError(f"mount: {volume.mountpoint}: {_reason(error)}", hint=_hint(error, wanted)) from error


def borrow(volume: Volume, process: int) -> bool:
    """Mount at the volume's directory what is mounted there in the mount namespace of a process, if there is something.

    This process must have only one thread and a mount namespace of its own. Raises OSError.
    """
    if not is_mounted(volume, str(process)):
        return False
    path = os.path.realpath(volume.mountpoint)
    try:
        tree = beneath.clone_elsewhere(f"/proc/{process}/ns/mnt", path)
    except FileNotFoundError:
        return False  # it has just ended
    try:
        linux.move_mount(tree, "", linux.AT_FDCWD, path, linux.MOVE_MOUNT_F_EMPTY_PATH)
    finally:
        os.close(tree)
    return True


def detach(volume: Volume) -> bool:
    """Unmount what is mounted at the volume's directory, for this process; return whether there was something."""
    path = os.path.realpath(volume.mountpoint)
    found = [point for point in mount_points() if point == path or point.startswith(path + "/")]
    for point in reversed(found):
        linux.umount2(point, linux.MNT_DETACH | linux.UMOUNT_NOFOLLOW)
    return bool(found)


def _set_flags(path: str, flags: int) -> None:
    try:
        linux.mount(None, path, None, linux.MS_REMOUNT | linux.MS_BIND | flags)
    except OSError:
        linux.umount2(path, linux.MNT_DETACH)
        raise


def _reason(error: OSError) -> str:
    if error.errno == errno.EPERM:
        return "permission denied"
    return (error.strerror or str(error)).lower()


def _hint(error: OSError, wanted: driver.MountRequest) -> str:
    if error.errno == errno.EPERM and not wanted.bind:
        return f"Only root may mount {wanted.type}: mount it yourself, and use its directory with --opt o=bind"
    if error.errno == errno.ENOENT and wanted.bind:
        return f"Make it first: mkdir -p {wanted.source}"
    if error.errno == errno.EINVAL and wanted.bind:
        return f"If other file systems are mounted below {wanted.source}: --opt o=rbind"
    return f"What {wanted.type or 'a bind mount'} takes: man mount" if error.errno == errno.EINVAL else ""
