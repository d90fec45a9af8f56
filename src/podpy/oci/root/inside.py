"""Opens files inside a container's root filesystem as the container would see them.

An image may hold any symbolic link; each resolves inside the container, as after a chroot (podpy.beneath). Paths are
never joined as text.
"""

from __future__ import annotations

import errno
import os

from podpy.beneath import links, open_in_root, real_path
from podpy.errors import ImageError, RuntimeFailedError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.spec.container import ContainerSpec

_KERNELS = ("/dev", "/proc", "/sys", "/dev/shm", "/dev/pts", "/dev/mqueue")
_RUNTIMES_DEVICES = ("console", "null")
_LIMIT = 4 << 20  # bytes; a larger passwd file is an attack


def refuse_links(spec: ContainerSpec, rootfs: str) -> None:
    """Refuse symbolic links at paths where the OCI runtime mounts kernel file systems or creates devices.

    Old runtimes follow them out of the container (CVE-2026-47766, CVE-2026-41579; at a user's own /dev
    CVE-2026-88264), and no builder makes such an image. Raises ImageError, UsageError, OSError.
    """
    targets = [mount.target for mount in spec.mounts]
    wanted = [path for path in _KERNELS if not any(_covers(target, path) for target in targets)]
    for path in links(rootfs, wanted):
        raise ImageError(
            f"{path} of {spec.image or spec.rootfs} is a symbolic link, through which no file system is mounted",
            hint="Build it again with a directory there, or without it",
        )
    for mount in spec.mounts:
        if mount.target == "/dev" and mount.type == "bind" and os.path.isdir(mount.source):
            for name in links(mount.source, _RUNTIMES_DEVICES):
                raise UsageError(f"{mount.source}/{name} is a symbolic link, through which no device is made")


def _covers(target: str, path: str) -> bool:
    return path == target or path.startswith(target.rstrip("/") + "/")


def read_text(rootfs: str, path: str) -> str:
    """Return a regular file's text, or "" if there is none. Raises RuntimeFailedError if it is larger than 4 MiB."""
    try:
        # O_NONBLOCK: a fifo at this path must not hang podpy.
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
    """Create a directory and its missing parents inside `rootfs`; return an O_PATH descriptor of it.

    Symbolic links on the way resolve as they do inside the container. Raises OSError with the path.
    """
    made = os.open(rootfs, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    for name in real_path(rootfs, path).split("/"):
        if not name:
            continue
        parent = made
        try:
            try:
                os.mkdir(name, mode, dir_fd=parent)
            except FileExistsError:
                pass
            made = os.open(name, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
        finally:
            os.close(parent)
    return made


def is_regular(descriptor: int) -> bool:
    """Return whether a descriptor is a regular file's."""
    return os.fstat(descriptor).st_mode & 0o170000 == 0o100000
