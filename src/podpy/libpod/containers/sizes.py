"""Disk usage of containers."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.libpod.containers.table import ContainerRow
    from podpy.libpod.engine import Engine


def container_sizes(engine: Engine, rows: list[ContainerRow]) -> dict[str, tuple[int, int]]:
    """Return, by id, the bytes of each container's own layer, and of that with its image.

    A file counts with its length, as in Podman. A container that is removed meanwhile counts as empty.
    """
    if not rows:
        return {}
    images = {record.id: record.size for record in engine.store.image_summaries()}
    # The container's files may belong to subordinate ids: they are readable only inside the user namespace.
    own = engine.privileged(lambda: [_size(os.path.join(engine.directory(row.id), "upper")) for row in rows])
    return {row.id: (size, size + images.get(row.image_id, 0)) for row, size in zip(rows, own, strict=True)}


def _size(directory: str) -> int:
    from podpy.storage.layers.filesystem import open_directory

    total = 0
    waiting = [directory]
    while waiting:
        path = waiting.pop()
        try:
            descriptor = open_directory(path)
        except (FileNotFoundError, NotADirectoryError, PermissionError):
            continue
        try:
            directories, files = _listed(descriptor)
        finally:
            os.close(descriptor)
        waiting += [f"{path}/{name}" for name in directories]
        total += files
    return total


def _listed(descriptor: int) -> tuple[list[str], int]:
    """Return the names of a directory's subdirectories, and the bytes of its files."""
    directories, files = [], 0
    with os.scandir(descriptor) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                directories.append(entry.name)
            elif entry.is_file(follow_symlinks=False):
                try:
                    files += entry.stat(follow_symlinks=False).st_size
                except FileNotFoundError:
                    continue
    return directories, files
