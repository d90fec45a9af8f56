"""ADD's local archives: unpacked aside by the confined child, and then files like others."""

from __future__ import annotations

import os

from podpy.build.steps.tree import Tree
from podpy.image.incoming.compression import HEAD, decompressed, detect

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import ExitStack

    from podpy.storage.store import Store

_PIECE = 256 << 10
_MAGIC, _MAGIC_AT = b"ustar", 257
_BLOCK = 512


def unpacked(store: Store, tree: Tree, path: str, stack: ExitStack) -> Tree | None:
    """Return the files of a tar, compressed or not, that a path of a tree leads to; None: it is no tar.

    They are removed at the stack's end. Raises BrokenTarError, StorageError, OSError.
    """
    walk = tree.walk(path)
    try:
        found = next(walk)
        if not found.is_file:
            return None
        descriptor = found.open()
        try:
            return unpacked_file(store, descriptor, path, stack)
        finally:
            os.close(descriptor)
    finally:
        walk.close()


def unpacked_file(store: Store, descriptor: int, name: str, stack: ExitStack) -> Tree | None:
    """Do the same with an open file, which errors call `name`."""
    from podpy.storage.layers.unpack import Plain, unpack_plain

    if not _is_tar(descriptor):
        return None
    target = store.staging.new_path("archive")
    os.mkdir(target, 0o755)
    stack.callback(store.staging.discard, target)
    unpack_plain(target, decompressed(_pieces(descriptor)), Plain())
    return Tree(target, name=name)


def _pieces(descriptor: int) -> Iterator[bytes]:
    """Yield a file from its beginning; where the descriptor stands doesn't matter, and stays."""
    at = 0
    while piece := os.pread(descriptor, _PIECE, at):
        at += len(piece)
        yield piece


def _is_tar(descriptor: int) -> bool:
    head = os.pread(descriptor, HEAD, 0)
    if detect(head):
        head = _decompressed_head(descriptor)
    return head[_MAGIC_AT : _MAGIC_AT + len(_MAGIC)] == _MAGIC


def _decompressed_head(descriptor: int) -> bytes:
    from podpy.errors import ImageError

    head = b""
    pieces = decompressed(_pieces(descriptor))
    try:
        for piece in pieces:
            head += piece
            if len(head) >= _BLOCK:
                break
    except ImageError:
        return b""
    finally:
        pieces.close()
    return head
