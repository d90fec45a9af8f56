"""What a path of a container is, without following a symbolic link at its end: for copies to and from it."""

from __future__ import annotations

import os
import stat

from podpy import beneath
from podpy.errors import NotFoundError, StorageError
from podpy.libpod.containers.contents.view import View
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.libpod.containers.held import Held


class PathStat(Record):
    """What is at a path. `mode` as stat(2) has it, with the type; `target`: where a symbolic link leads, or ""."""

    name: str
    size: int
    mode: int
    modified: int  # nanoseconds since 1970
    target: str = ""


def stat_path(container: Held, path: str) -> PathStat:
    """Return what is at a path in a container. Raises NotFoundError, StorageError."""
    with View(container, mounts=True) as view:
        whole = path if path.startswith("/") else f"{(view.container.spec.workdir or '/').rstrip('/')}/{path}"
        try:
            follows = os.O_DIRECTORY if path.endswith(("/", "/.")) else os.O_NOFOLLOW
            descriptor = beneath.open_in_root(view.path, whole, os.O_PATH | follows)
        except (FileNotFoundError, NotADirectoryError):
            raise NotFoundError(f"Could not find the file {path} in container {container.name}") from None
        except OSError as error:
            raise StorageError(f"{path}: {error.strerror}") from None
        try:
            found = os.fstat(descriptor)
            is_link = stat.S_ISLNK(found.st_mode)
            target = os.readlink("", dir_fd=descriptor) if is_link else ""
        finally:
            os.close(descriptor)
    name = os.path.basename(os.path.normpath(whole)) or "/"
    return PathStat(name=name, size=found.st_size, mode=found.st_mode, modified=found.st_mtime_ns, target=target)
