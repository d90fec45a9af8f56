"""Read access to the files of an archive or a directory that holds images.

An archive in a plain file is read in place, several layers at once. One from a pipe, or compressed as a whole, is first
written into the staging area: most archives have their table of contents at the end, after the layers.
"""

from __future__ import annotations

import os
import stat

from podpy.errors import ImageError, StorageError, UnknownFormatError, shorten
from podpy.image.archive import tarindex
from podpy.image.incoming.compression import HEAD, decompressed, detect

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from podpy.storage.store import Store

_CHUNK = 256 << 10
# Opening this path fails for a pipe of another user (sudo -u); reading the descriptor doesn't.
_STDIN = "/dev/stdin"
HINT = "podpy load takes docker-archive, oci-archive, and OCI and dir directories, archives also compressed"


class Tree:
    """Read access to an archive's files by name."""

    def has(self, name: str) -> bool:
        """Return whether there is a file of this name."""
        return self.size(name) is not None

    def size(self, name: str) -> int | None:
        """Return a file's size in bytes, or None if there is no such file."""
        raise NotImplementedError

    def chunks(self, name: str, offset: int) -> Iterator[bytes]:
        """Yield a file's bytes from `offset` on. Several threads may read at once."""
        raise NotImplementedError

    def close(self) -> None:
        """Close what is open."""

    def read(self, name: str, limit: int) -> bytes:
        """Return a whole file of at most `limit` bytes. Raises ImageError."""
        size = self.size(name)
        if size is None:
            raise ImageError(f"the archive has no {shorten(name)}", hint=HINT)
        if size > limit:
            raise ImageError(f"{shorten(name)} in the archive has {size} bytes, more than the {limit} allowed")
        return b"".join(self.chunks(name, 0))


class _Tar(Tree):
    """The files inside a plain tar."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._entries = tarindex.read_index(descriptor, os.fstat(descriptor).st_size)

    def size(self, name: str) -> int | None:
        entry = tarindex.find(self._entries, name)
        return None if entry is None else entry.size

    def chunks(self, name: str, offset: int) -> Iterator[bytes]:
        entry = tarindex.find(self._entries, name)
        if entry is None:
            raise ImageError(f"the archive has no {shorten(name)}", hint=HINT)
        at, end = entry.offset + offset, entry.offset + entry.size
        while at < end:
            chunk = os.pread(self._descriptor, min(_CHUNK, end - at), at)
            if not chunk:
                raise ImageError("the archive became shorter while it was read")
            at += len(chunk)
            yield chunk

    def close(self) -> None:
        os.close(self._descriptor)


class _Directory(Tree):
    """The files below a directory. Neither a name nor a symbolic link can lead out of it."""

    def __init__(self, path: str) -> None:
        self._root = os.path.realpath(path)

    def _path(self, name: str) -> str:
        path = os.path.realpath(os.path.join(self._root, name.lstrip("/")))
        if not path.startswith(self._root + os.sep):
            raise ImageError(f"{shorten(name)} lies outside the directory")
        return path

    def size(self, name: str) -> int | None:
        try:
            status = os.stat(self._path(name))
        except OSError:
            return None
        return status.st_size if stat.S_ISREG(status.st_mode) else None

    def chunks(self, name: str, offset: int) -> Iterator[bytes]:
        with open(self._path(name), "rb", buffering=0) as file:
            file.seek(offset)
            while chunk := file.read(_CHUNK):
                yield chunk


def is_directory(tree: Tree) -> bool:
    """Return whether this is a directory, not an archive."""
    return isinstance(tree, _Directory)


def open_tree(store: Store, file: str | int) -> Tree:
    """Open an archive or directory: in place if possible, else as a copy in the staging area."""
    if file == _STDIN:
        file = 0
    if isinstance(file, str):
        if os.path.isdir(file):
            return _Directory(file)
        try:
            descriptor = os.open(file, os.O_RDONLY | os.O_CLOEXEC)
        except OSError as error:
            call = "faccessat" if isinstance(error, FileNotFoundError) else "open"  # the call that fails in Podman
            raise ImageError(f"{call} {file}: {os.strerror(error.errno or 0).lower()}") from None
    else:
        descriptor = os.dup(file)
    try:
        if stat.S_ISREG(os.fstat(descriptor).st_mode) and os.lseek(descriptor, 0, os.SEEK_CUR) == 0:
            head = os.pread(descriptor, HEAD, 0)
            if not head:
                raise UnknownFormatError("the archive is empty", hint=HINT)
            if not detect(head):
                return _Tar(descriptor)
        spooled = spool(store, _decompressed(descriptor), "load")
    except BaseException:
        os.close(descriptor)
        raise
    os.close(descriptor)
    return _Tar(spooled)


def spool(store: Store, pieces: Iterable[bytes], verb: str) -> int:
    """Write `pieces` to a nameless file in the staging area; return its descriptor.

    Raises StorageError, whose hint says to `verb` (load, import) from a file instead.
    """
    target = store.staging.nameless_file()
    try:
        for piece in pieces:
            view = memoryview(piece)
            while view:
                view = view[os.write(target, view) :]
    except OSError as error:
        os.close(target)
        raise StorageError(f"{store.graphroot}: {error.strerror}", hint=f"Make room, or {verb} from a file") from None
    except BaseException:
        os.close(target)
        raise
    return target


def chunks_of(descriptor: int) -> Iterator[bytes]:
    """Yield a descriptor's bytes until its end."""
    while chunk := os.read(descriptor, _CHUNK):
        yield chunk


def _decompressed(source: int) -> Iterator[bytes]:
    empty = True
    for piece in decompressed(chunks_of(source)):
        empty = False
        yield piece
    if empty:
        raise UnknownFormatError("the archive is empty", hint=HINT)
