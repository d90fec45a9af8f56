"""Volumes that belong to one pod: its infra container has them, so they go with it. See Volumes.create_for.

Files are written into a directory that was made just now, and that no container has: nobody can put a link in the way.
"""

from __future__ import annotations

import os

from podpy import beneath
from podpy.errors import UsageError
from podpy.libpod.containers import names

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from podpy.libpod.engine import Engine

    Files = Iterable[tuple[str, bytes, int]]

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_FOLDER_MODE = 0o755


def create_for(
    engine: Engine, container_id: str, files: Files, *, options: Mapping[str, str], group: int, mode: int
) -> str:
    """See Volumes.create_for. This process must be in the user's namespaces."""
    table = engine.volume_table
    name = names.new_id()
    owner = _root_of(engine, container_id, group)
    with engine.database.transaction():
        table.create(name, anonymous=True, options=options, owner=owner)
        table.use(container_id, name)
    if options:  # it is mounted at a start
        return name
    top = os.open(table.mountpoint(name), _DIRECTORY)
    try:
        os.fchmod(top, mode)
        for path, data, file_mode in files:
            _write(top, path, data, file_mode, owner)
    finally:
        os.close(top)
    return name


def _root_of(engine: Engine, container_id: str, group: int) -> tuple[int, int]:
    """Return what root and a group of a container are in podpy's own user namespace."""
    from podpy.libpod.containers.held import find
    from podpy.spec.userns import outside

    spec = find(engine, container_id).spec
    return outside(0, spec.uid_maps), outside(group, spec.gid_maps)


def make_directories(engine: Engine, container_id: str, name: str, paths: Sequence[str], group: int) -> None:
    """See Volumes.make_directories. This process must be in the user's namespaces."""
    volume = engine.volume_table.find(name)
    if volume.needs_mount:
        return
    owner = _root_of(engine, container_id, group)
    top = os.open(volume.mountpoint, _DIRECTORY)
    try:
        for path in paths:
            try:
                os.close(beneath.make_inside(top, path, owner=owner, directory=True))
            except FileExistsError:
                continue  # a file, or a link: the start looks it up beneath the volume, and says what is wrong
    finally:
        os.close(top)


def _write(top: int, path: str, data: bytes, mode: int, owner: tuple[int, int]) -> None:
    *folders, name = path.split("/")
    directory = os.dup(top)
    try:
        for folder in folders:
            inner = _folder(directory, folder, owner)
            os.close(directory)
            directory = inner
        with open(_new_file(directory, name, path), "wb") as file:
            file.write(data)
            file.flush()
            os.fchown(file.fileno(), *owner)
            os.fchmod(file.fileno(), mode)
    finally:
        os.close(directory)


def _new_file(directory: int, name: str, path: str) -> int:
    try:
        return os.open(name, _NEW, 0o600, dir_fd=directory)
    except FileExistsError:
        raise UsageError(f"a volume has two files {path}", hint="Give one of them another path") from None


def _folder(directory: int, name: str, owner: tuple[int, int]) -> int:
    """Return a descriptor of a folder, made if it isn't there."""
    try:
        os.mkdir(name, dir_fd=directory)
    except FileExistsError:
        pass
    try:
        inner = os.open(name, _DIRECTORY, dir_fd=directory)
    except NotADirectoryError:
        raise UsageError(f"a volume has a file and a folder {name}") from None
    os.fchown(inner, *owner)
    os.fchmod(inner, _FOLDER_MODE)
    return inner
