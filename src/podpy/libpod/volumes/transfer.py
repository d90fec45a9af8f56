"""Export and import of a volume's files as a tar. A volume with options is mounted in this process's own namespace."""

from __future__ import annotations

import os
import stat
from contextlib import contextmanager

from podpy.errors import NoSuchVolumeError, PodpyError, StateError, StorageError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from podpy.libpod.engine import Engine
    from podpy.storage.layers.pack import Packed
    from podpy.storage.volumes.volume import Volume


def export(engine: Engine, volume: Volume, output: str | int) -> Packed:
    """See Volumes.export. This process must be in the user's namespaces, with one thread."""
    from podpy.storage.layers.pack import write_tar

    _mount(engine, volume)
    directory = os.open(volume.mountpoint, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        if isinstance(output, int):
            return write_tar(directory, output)
        from podpy.image.archive.outfile import NewFile

        with NewFile(os.path.join(engine.caller.directory, output), synced=False) as file:
            return write_tar(directory, file.descriptor)
    finally:
        os.close(directory)


@contextmanager
def opened(engine: Engine, source: str | int) -> Iterator[int]:
    """A context with a descriptor of the source. Raises UsageError."""
    if isinstance(source, int):
        yield source
        return
    try:
        descriptor = os.open(os.path.join(engine.caller.directory, source), os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UsageError(f"unable open input file: open {source}: {reason}") from None
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def import_tar(engine: Engine, volume: Volume, source: int) -> None:
    """See Volumes.import_. This process must be in the user's namespaces, with one thread."""
    from podpy.image.archive.tree import chunks_of
    from podpy.image.incoming.compression import decompressed

    if not _mount(engine, volume):
        raise StateError(
            f"volume {volume.name} is a {volume.options['type']} that no container has: what is imported would be lost",
            hint="Start a container that uses it, then import",
        )
    try:
        engine.volume_table.receive(volume, source if _is_plain_file(source) else decompressed(chunks_of(source)))
    except FileNotFoundError:
        raise NoSuchVolumeError(f"volume {volume.name} was removed meanwhile: no such volume") from None
    except IsADirectoryError as error:
        raise UsageError(f"unable to read the input file: {error.strerror}") from None
    except PodpyError as error:
        error.message = f"extracting into volume {volume.name}: {error.message}"
        raise


def _is_plain_file(source: int) -> bool:
    """Return whether a descriptor is a regular file that isn't compressed."""
    from podpy.image.incoming.compression import HEAD, detect

    if not stat.S_ISREG(os.fstat(source).st_mode):
        return False
    return not detect(os.pread(source, HEAD, os.lseek(source, 0, os.SEEK_CUR)))


def _mount(engine: Engine, volume: Volume) -> bool:
    """Mount a volume that has options; return whether files written there persist."""
    if not volume.needs_mount:
        engine.volume_table.finish_import(volume)
        return True
    from podpy.rootless.mounts import private_mounts
    from podpy.storage.volumes import mounting

    if mounting.is_mounted(volume):
        return True
    private_mounts()
    try:
        if mounting.is_shared(volume):
            if any(mounting.borrow(volume, pid) for pid in engine.volume_table.monitors(volume.name)):
                return True
            mounting.mount(volume)
            return False
        mounting.mount(volume)
    except StorageError as error:
        error.message = f"mounting volume {volume.name}: {error.message}"
        raise
    return True
