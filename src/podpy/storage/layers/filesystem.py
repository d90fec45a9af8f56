"""Small facts about file systems that the store relies on."""

from __future__ import annotations

import os

_PATH_PIECE = 1000  # characters of a path that are opened at once: below PATH_MAX bytes in any encoding
# statfs(2), linux/magic.h: where two hosts may see the same files, or where flock and shared mmap can't be trusted.
_NETWORK = frozenset(
    (
        0x6969,  # NFS
        0xFF534D42,  # CIFS
        0xFE534D42,  # SMB2
        0x517B,  # SMB
        0x01021997,  # 9p
        0x0BD00BD0,  # Lustre
        0x47504653,  # GPFS
        0x00C36400,  # Ceph
        0x5346414F,  # AFS
        0x19830326,  # BeeGFS
        0x65735546,  # FUSE: sshfs and others
    )
)

_MEMORY = (0x01021994, 0x858458F6)


def open_directory(path: str) -> int:
    """Return a descriptor; the path may be longer than the kernel takes, since layers may nest without limit."""
    parent: int | None = None
    while True:
        end = len(path) if len(path) <= _PATH_PIECE else path.rindex("/", 0, _PATH_PIECE)
        try:
            descriptor = os.open(path[:end], os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
        finally:
            if parent is not None:
                os.close(parent)
        path = path[end + 1 :]
        if not path:
            return descriptor
        parent = descriptor


def is_network(path: str) -> bool:
    """Return whether a directory is on a network (or FUSE) file system; False if that can't be found out."""
    return _type(path) in _NETWORK


def is_in_memory(path: str) -> bool:
    """Return whether a directory is on a tmpfs or ramfs; False if that can't be found out."""
    return _type(path) in _MEMORY


def _type(path: str) -> int:
    try:
        from podpy._native import lib
    except ImportError:
        return 0
    return int(lib.podpy_fs_type(os.fsencode(path)))


def remove_tree(path: str) -> None:
    """Remove a file or a whole tree; nothing happens if there is none. Never follows a symbolic link. Raises
    OSError.
    """
    parent = os.open(os.path.dirname(path), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        remove_at(parent, os.path.basename(path))
    except OSError as error:
        error.filename = path
        raise
    finally:
        os.close(parent)


def remove_at(parent: int, name: str) -> None:
    """Remove a file or a whole tree, named in the directory that a descriptor stands for. Raises OSError."""
    from podpy._native import ffi, lib

    if lib.podpy_tree_remove(parent, os.fsencode(name)) < 0:
        raise OSError(ffi.errno, os.strerror(ffi.errno), name)


def sync_filesystem(path: str) -> None:
    """Write everything of the file system that holds `path` to its disk: syncfs(2). Raises OSError."""
    directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        sync_descriptor(directory)
    finally:
        os.close(directory)


def sync_descriptor(descriptor: int) -> None:
    """Write everything of the file system of a descriptor's file to its disk: syncfs(2). Raises OSError."""
    from podpy import linux

    linux.syncfs(descriptor)
