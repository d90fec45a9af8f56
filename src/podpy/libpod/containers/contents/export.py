"""`podpy export`: a container's root file system as a tar, without the mounts in it."""

from __future__ import annotations

import os

from podpy.libpod.containers.contents.view import View
from podpy.storage.layers.pack import PackOptions, write_tar

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.libpod.containers.held import Held
    from podpy.storage.layers.pack import Packed


def export(container: Held, output: str | int) -> Packed:
    """Write the tar to a descriptor, or to a file that appears only when it is complete; return its statistics.

    Raises StateError, StorageError, ImageError (the file), BrokenPipeError.
    """
    if isinstance(output, int):
        return _told(container, _write(container, output))
    from podpy.image.archive.outfile import NewFile

    with NewFile(os.path.join(container.engine.caller.directory, output), synced=False) as file:
        written = _write(container, file.descriptor)
    return _told(container, written)


def _told(container: Held, written: Packed) -> Packed:
    container.engine.table.tell(container.id, "export")
    return written


def _write(container: Held, output: int) -> Packed:
    with View(container, mounts=False) as view:
        return write_tar(view.root, output, PackOptions(uid_maps=view.uid_maps, gid_maps=view.gid_maps))
