"""A layer's recipe: with the unpacked files, it gives the uncompressed tar again, bit for bit.

    recipes/NUMBER     zstd; NUMBER is the layer's row

The unpacker (src/conmon_c/native/unpack_recipe.c, which has the format) writes down everything of a tar that isn't a
file's content. That is 0.1 to 1 % of it; a compressed copy would cost a third. So layers that come uncompressed
(docker-archive) get a recipe. Layers that come compressed keep their blob, because a recipe can't give the same gzip
again.
An archive that brings the same file twice has content that is in no file at the end. Its recipe is one long literal.
"""

from __future__ import annotations

import os
import struct

from podpy.errors import DigestMismatchError, StorageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

_LEVEL = 3
_READ = 1 << 20
_PIECE = 1 << 20
_LITERAL = 1 << 24  # a literal record of write_literal is no longer than this
_PATH_LIMIT = 4096
_LENGTH, _EXTENT, _END = struct.Struct("<I"), struct.Struct("<QQ"), struct.Struct("<Q")


def zstd_module() -> Any:
    """Return Python's zstd module (3.14), or backports.zstd. Raises StorageError if there is neither."""
    try:
        from compression import zstd  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        try:
            from backports import zstd  # type: ignore[import-not-found, no-redef, unused-ignore]
        except ImportError:
            raise StorageError("no zstd module for this Python", hint="Run: pip install backports.zstd") from None
    return zstd


def write(raw: int, path: str) -> int:
    """Compress what the unpacker has written to the descriptor `raw` into a new file. Return its size."""
    return _compress(_raw_pieces(raw), path)


def write_literal(pieces: Iterable[bytes], path: str, diff_id: str) -> int:
    """Write a recipe that needs no files: the whole tar. Return its size. Raises DigestMismatchError."""
    import hashlib

    digest = hashlib.sha256()
    length = 0

    def records() -> Iterator[bytes]:
        nonlocal length
        for piece in pieces:
            digest.update(piece)
            length += len(piece)
            for start in range(0, len(piece), _LITERAL):
                part = piece[start : start + _LITERAL]
                yield b"L" + _LENGTH.pack(len(part)) + part
        yield b"E" + _END.pack(length)

    size = _compress(records(), path)
    if "sha256:" + digest.hexdigest() != diff_id:
        raise DigestMismatchError(f"layer {diff_id} isn't the same when it is read again", hint="Try again")
    return size


def _raw_pieces(raw: int) -> Iterator[bytes]:
    offset = 0
    while piece := os.pread(raw, _READ, offset):
        offset += len(piece)
        yield piece


def _compress(pieces: Iterable[bytes], path: str) -> int:
    compressor = zstd_module().ZstdCompressor(level=_LEVEL)
    with open(path, "xb") as file:
        for piece in pieces:
            file.write(compressor.compress(piece))
        file.write(compressor.flush())
        return file.tell()


def tar(path: str, layer: str) -> Iterator[bytes]:
    """Yield the tar of the layer that is unpacked in the directory `layer`, in pieces of some MiB at most.

    The caller compares the digest. Raises StorageError (the recipe is damaged, a file is missing or short).
    """
    root = os.open(layer, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        with open(path, "rb") as file:
            yield from _Maker(file, root, path).pieces()
    except FileNotFoundError as error:
        raise StorageError(f"{path}: {error.strerror}", hint="See podpy system check") from None
    finally:
        os.close(root)


class _Maker:
    """Follows one recipe."""

    def __init__(self, file: Any, root: int, path: str) -> None:
        self._file = file
        self._root = root
        self._path = path
        self._decompressor = zstd_module().ZstdDecompressor()
        self._data = b""  # decompressed, not used yet from _at on
        self._at = 0
        self._content = -1  # the file that extents are read from
        self._name = b""

    def pieces(self) -> Iterator[bytes]:
        """Yield the tar in pieces of some MiB at most."""
        parts: list[bytes] = []
        size = 0
        try:
            for part in self._parts():
                parts.append(part)
                size += len(part)
                if size >= _PIECE:
                    yield b"".join(parts)
                    parts.clear()
                    size = 0
            yield b"".join(parts)
        finally:
            self._close()

    def _parts(self) -> Iterator[bytes]:
        total = 0
        while (kind := self._take(1)) != b"E":
            if kind == b"F":
                self._open(self._take(self._length(_PATH_LIMIT)))
            elif kind == b"L":
                literal = self._take(self._length(_LITERAL))
                total += len(literal)
                yield literal
            elif kind == b"D":
                offset, length = _EXTENT.unpack(self._take(_EXTENT.size))
                total += length
                yield from self._extent(offset, length)
            else:
                raise self._damaged()
        if total != _END.unpack(self._take(_END.size))[0]:
            raise self._damaged()

    def _take(self, size: int) -> bytes:
        end = self._at + size
        if end > len(self._data):
            self._fill(size)
            end = size
        taken = self._data[self._at : end]
        self._at = end
        return taken

    def _fill(self, size: int) -> None:
        parts = [self._data[self._at :]]
        have = len(parts[0])
        zstd = zstd_module()
        try:
            while have < size:
                data = self._file.read(_READ) if self._decompressor.needs_input else b""
                if self._decompressor.eof or (self._decompressor.needs_input and not data):
                    raise self._damaged()
                parts.append(self._decompressor.decompress(data, _PIECE))
                have += len(parts[-1])
        except zstd.ZstdError:
            raise self._damaged() from None
        self._data, self._at = b"".join(parts), 0

    def _length(self, limit: int) -> int:
        length = int(_LENGTH.unpack(self._take(_LENGTH.size))[0])
        if length > limit:
            raise self._damaged()
        return length

    def _open(self, name: bytes) -> None:
        from podpy import linux

        self._close()
        self._name = name
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
        resolve = linux.RESOLVE_IN_ROOT | linux.RESOLVE_NO_MAGICLINKS
        try:
            self._content = linux.openat2(self._root, name, flags, resolve=resolve)
        except OSError as error:
            raise self._lost(error.strerror or str(error)) from None

    def _extent(self, offset: int, length: int) -> Iterator[bytes]:
        while length:
            chunk = os.pread(self._content, min(length, _PIECE), offset)
            if not chunk:
                raise self._lost("it is shorter than it was")
            offset += len(chunk)
            length -= len(chunk)
            yield chunk

    def _close(self) -> None:
        if self._content >= 0:
            os.close(self._content)
            self._content = -1

    def _damaged(self) -> StorageError:
        return StorageError(f"{self._path}: the layer's recipe is damaged", hint="Remove the image and load it again")

    def _lost(self, why: str) -> StorageError:
        name = self._name.decode("utf-8", "backslashreplace")
        return StorageError(
            f"the layer's file {name} isn't what it was when it was unpacked: {why}",
            hint="Remove the image and load it again",
        )
