"""Reads files that decide what runs on the host (CDI specs, OCI hooks), if nobody else can have written them.

In podpy's user namespace, files of root and of other users belong to nobody (user_namespaces(7)). So there a directory
counts as root's if only root can create one at its path.
"""

from __future__ import annotations

import os

from podpy.errors import ConfigError
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_OTHERS_WRITE = 0o022
_NOBODY = 65534  # the kernel's overflowuid
_ROOTS = ("/etc/", "/usr/", "/run/", "/var/run/", "/var/lib/", "/opt/")
_LIMIT = 4 << 20  # bytes


class Found(Record):
    """A file that was read."""

    path: str
    directory: int  # its directory's index in the given list
    data: bytes


def read_all(directories: Sequence[str], suffixes: tuple[str, ...]) -> list[Found]:
    """Return the files with these endings, sorted by directory and name; missing directories are skipped.

    Raises ConfigError for a directory or file that others may write, or that can't be read.
    """
    found = []
    for number, directory in enumerate(directories):
        try:
            top = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            raise ConfigError(f"can't read {directory}: {error.strerror}") from error
        try:
            _check(top, directory)
            names = sorted(name for name in os.listdir(top) if name.endswith(suffixes))
            found += [Found(path=f"{directory}/{n}", directory=number, data=_read(top, directory, n)) for n in names]
        finally:
            os.close(top)
    return found


def _read(top: int, directory: str, name: str) -> bytes:
    path = f"{directory}/{name}"
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC, dir_fd=top)
    except OSError as error:
        raise ConfigError(f"can't read {path}: {error.strerror}") from error
    with open(descriptor, "rb") as file:
        _check(descriptor, path)
        data = file.read(_LIMIT + 1)
    if len(data) > _LIMIT:
        raise ConfigError(f"{path} is larger than {_LIMIT >> 20} MiB")
    return data


def _check(descriptor: int, path: str) -> None:
    status = os.fstat(descriptor)
    is_roots = status.st_uid == 0 or (status.st_uid == _NOBODY and os.path.abspath(path).startswith(_ROOTS))
    if not is_roots and status.st_uid != os.geteuid():
        raise ConfigError(f"{path} belongs to somebody else", hint="It says what runs on the host: yours, or root's")
    if status.st_mode & _OTHERS_WRITE:
        raise ConfigError(f"{path} can be written by others", hint=f"chmod go-w {path}")
