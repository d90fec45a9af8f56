"""Files inside a container's root filesystem, opened as the container would see them.

An image may hold any symbolic link; `openat2(RESOLVE_IN_ROOT)` makes each resolve inside the container, as after a
chroot, and RESOLVE_NO_MAGICLINKS keeps /proc/self/fd and the like out. No path is ever joined by text.
"""

from __future__ import annotations

import errno
import os

from podpy import linux
from podpy.errors import RuntimeFailedError

_RESOLVE = linux.RESOLVE_IN_ROOT | linux.RESOLVE_NO_MAGICLINKS
_LIMIT = 4 << 20  # a passwd file that is larger than this is an attack


def open_in_root(rootfs: str, path: str, flags: int, mode: int = 0, *, resolve: int = 0) -> int:
    """Return a descriptor (close-on-exec) of `path` inside `rootfs`. Raises OSError with the path.

    `resolve` are more of openat2's RESOLVE_ flags.
    """
    root = os.open(rootfs, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        return linux.openat2(root, path.lstrip("/") or ".", flags | os.O_CLOEXEC, mode, _RESOLVE | resolve)
    finally:
        os.close(root)


def read_text(rootfs: str, path: str) -> str:
    """Return a regular file's text, "" if there is none. Raises RuntimeFailedError if it is larger than 4 MiB."""
    try:
        # O_NONBLOCK: a fifo at this place must not hang podpy.
        descriptor = open_in_root(rootfs, path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY)
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except OSError as error:
        if error.errno != errno.ELOOP:  # links in a circle lead to no file
            raise
        return ""
    if not is_regular(descriptor):
        os.close(descriptor)
        return ""
    with open(descriptor, "rb") as file:
        data = file.read(_LIMIT + 1)
    if len(data) > _LIMIT:
        raise RuntimeFailedError(f"{path} of this image is larger than {_LIMIT >> 20} MiB")
    return data.decode(errors="surrogateescape")


def exists(rootfs: str, path: str) -> bool:
    """Return whether `path` resolves to something inside `rootfs`."""
    try:
        os.close(open_in_root(rootfs, path, os.O_PATH))
    except OSError:
        return False
    return True


def is_directory(rootfs: str, path: str) -> bool:
    """Return whether `path` resolves to a directory inside `rootfs`."""
    try:
        os.close(open_in_root(rootfs, path, os.O_PATH | os.O_DIRECTORY))
    except OSError:
        return False
    return True


def make_directories(rootfs: str, path: str, mode: int = 0o755) -> int:
    """Make a directory and its missing parents inside `rootfs`; return an O_PATH descriptor of it.

    Each step is opened in the root again, so a symbolic link on the way leads where it leads inside the container.
    Raises OSError with the path.
    """
    names = [name for name in path.split("/") if name not in ("", ".")]
    for count in range(1, len(names) + 1):
        if exists(rootfs, "/".join(names[:count])):
            continue
        parent = open_in_root(rootfs, "/".join(names[: count - 1]), os.O_PATH | os.O_DIRECTORY)
        try:
            os.mkdir(names[count - 1], mode, dir_fd=parent)
        except FileExistsError:  # a dangling symbolic link, or somebody was faster
            pass
        finally:
            os.close(parent)
    return open_in_root(rootfs, "/".join(names), os.O_PATH | os.O_DIRECTORY)


def is_regular(descriptor: int) -> bool:
    """Return whether a descriptor is a regular file's."""
    return os.fstat(descriptor).st_mode & 0o170000 == 0o100000
