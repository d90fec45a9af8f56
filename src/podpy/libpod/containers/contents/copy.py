"""`podpy cp`: files into a container, out of it, and between two.

    source ─ pack (child, confined to it) ─ tar ─ unpack (child, confined to the target's root) ─ files

The data goes from child to child through shared memory; an archive from standard input goes through this process. No
file is opened by a path that a container could change meanwhile, and no program of a container is run.

Nothing is synced, as with cp(1): what is copied is still at its source. A kill loses nothing that was reported; a power
cut within half a minute may.
"""

from __future__ import annotations

import os

from podpy.errors import PodpyError, StorageError, UsageError
from podpy.libpod.containers.contents import places
from podpy.libpod.containers.contents.options import CopyOptions
from podpy.libpod.containers.contents.view import View
from podpy.libpod.locks import BusyError
from podpy.notice import warn
from podpy.storage.layers.pack import PackOptions, pack_into, write_tar
from podpy.storage.layers.unpack import Plain, Unpacker, unpack_plain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

    from podpy.libpod.containers.contents.places import Source, Target
    from podpy.libpod.containers.held import Held

_CHUNK = 1 << 20
_BLOCK = 512
_CHECKSUM = slice(148, 156)
_CALLER = (0, 0)  # the user: root in the user's namespaces, or real root


def copy_out(container: Held, path: str, destination: str | int, options: CopyOptions | None = None) -> None:
    """Copy a path of a container to a path of the caller, or a tar of it to a descriptor.

    The copies belong to the caller. Raises NotFoundError, UsageError, StorageError, BrokenPipeError.
    """
    with View(container, mounts=True) as view:
        source = places.in_container(view, path)
        try:
            if isinstance(destination, int):
                _write(source, destination)
            else:
                target = places.onto_host(destination, container.engine.caller.directory)
                try:
                    _transfer(source, target, Plain(owner=_CALLER), options)
                finally:
                    os.close(target.root)
        finally:
            os.close(source.descriptor)


def copy_in(container: Held, source: str | int, path: str, options: CopyOptions | None = None) -> None:
    """Copy a path of the caller, or an archive (compressed or not) from a descriptor, to a path in a container.

    Raises as `copy_out`.
    """
    options = options or CopyOptions()
    if isinstance(source, int):
        _unpack_archive(container, source, path, options)
        return
    found = places.on_host(source, container.engine.caller.directory)
    try:
        with View(container, mounts=True) as view:
            _transfer(found, places.into_container(view, path), _plain(view, options), options)
    finally:
        os.close(found.descriptor)


def copy_between(
    source: Held, source_path: str, target: Held, target_path: str, options: CopyOptions | None = None
) -> None:
    """Copy a path of a container to a path of another one, or of the same one. Raises as `copy_out`."""
    options = options or CopyOptions()
    if source.id == target.id:
        with View(source, mounts=True) as view:
            _copy_between(view, source_path, view, target_path, options)
        return
    while True:
        try:
            # While one's lock is held, don't wait for the other's: two calls could wait for each other.
            with View(target, mounts=True) as into, View(source, mounts=True, wait=False) as out_of:
                _copy_between(out_of, source_path, into, target_path, options)
        except BusyError:
            with source.lock:
                pass
        else:
            return


def _copy_between(out_of: View, source_path: str, into: View, target_path: str, options: CopyOptions) -> None:
    found = places.in_container(out_of, source_path)
    try:
        _transfer(found, places.into_container(into, target_path), _plain(into, options), options)
    finally:
        os.close(found.descriptor)


def _plain(view: View, options: CopyOptions) -> Plain:
    conf = view.container.engine.conf
    own = conf.chown_copied_files if options.archive is None else options.archive
    return Plain(owner=view.owner() if own else None, uid_maps=view.uid_maps, gid_maps=view.gid_maps)


def _options_of(source: Source, name: str, *, sparse: bool) -> PackOptions:
    return PackOptions(
        name=name,
        cross=True,
        sparse=sparse,
        excluded=source.excluded,
        uid_maps=source.uid_maps,
        gid_maps=source.gid_maps,
    )


def _write(source: Source, output: int) -> None:
    places.refuse_special(source)
    name = "" if source.is_directory and source.contents else source.base
    try:
        write_tar(source.descriptor, output, _options_of(source, name, sparse=False))
    except StorageError as error:
        raise _said(f"copying from {source.side}", error) from None


def _transfer(source: Source, target: Target, plain: Plain, options: CopyOptions | None) -> None:
    name = places.name_in_archive(source, target)
    places.refuse_special(source)
    places.refuse_into_itself(source, target)
    plain = plain.replace(prefix=target.directory, overwrite=bool(options and options.overwrite))
    _unpack(target, lambda: _unpack_source(source, name, target, plain))


def _unpack_source(source: Source, name: str, target: Target, plain: Plain) -> Unpacker:
    unpacker = Unpacker(target.root, plain=plain)
    try:
        try:
            pack_into(unpacker, source.descriptor, _options_of(source, name, sparse=True))
        except StorageError as error:
            raise _FromSource(_said(f"copying from {source.side}", error)) from None
        unpacker.finish()
    except BaseException:
        unpacker.abort()
        raise
    return unpacker


class _FromSource(Exception):
    """An error of the source's side, on its way through the target's code."""

    def __init__(self, error: PodpyError) -> None:
        super().__init__()
        self.error = error


def _unpack(target: Target, work: Callable[[], Unpacker]) -> None:
    try:
        unpacker = work()
    except _FromSource as failure:
        raise failure.error from None
    except StorageError as error:
        raise _said(f"copying to {target.side}", error) from None
    if unpacker.skipped_devices:
        warn(f"{unpacker.skipped_devices} device nodes were left out: they can't be copied")


def _unpack_archive(container: Held, descriptor: int, path: str, options: CopyOptions) -> None:
    from podpy.errors import ImageError
    from podpy.image.incoming.compression import decompressed

    with View(container, mounts=True) as view:
        target = places.into_container(view, path, archive=True)
        pieces = decompressed(_chunks(descriptor))
        plain = _plain(view, options).replace(prefix=target.directory, overwrite=options.overwrite)
        try:
            _unpack(target, lambda: unpack_plain(target.root, _tar(pieces), plain))
        except ImageError as error:
            raise UsageError(f"{_NO_ARCHIVE}: {error.message}") from None
        finally:
            pieces.close()


def _chunks(descriptor: int) -> Generator[bytes]:
    while chunk := os.read(descriptor, _CHUNK):
        yield chunk


_NO_ARCHIVE = "source must be a (compressed) tar archive when copying from stdin"


def _tar(pieces: Iterable[bytes]) -> Generator[bytes]:
    """Yield an archive's bytes if they begin like one. Raises UsageError otherwise."""
    head = b""
    waiting = iter(pieces)
    while len(head) < _BLOCK and (piece := next(waiting, b"")):
        head += piece
    if not _is_header(head[:_BLOCK]):
        raise UsageError(_NO_ARCHIVE)
    yield head
    yield from waiting


def _is_header(block: bytes) -> bool:
    if len(block) < _BLOCK:
        return False
    if not any(block):
        return True  # an archive without entries
    told = block[_CHECKSUM].strip(b" \0")
    blanked = block[: _CHECKSUM.start] + b" " * 8 + block[_CHECKSUM.stop :]
    return told.isdigit() and not told.strip(b"01234567") and int(told, 8) == sum(blanked)


def _said(what: str, error: StorageError) -> StorageError:
    return type(error)(f"{what}: {error.message}", hint=error.hint)
