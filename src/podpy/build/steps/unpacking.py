"""ADD's local archives: unpacked aside by the confined child, and then files like others."""

from __future__ import annotations

import os

from podpy.build.steps.tree import Found, Tree
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
    from podpy.storage.layers.unpack import Plain, unpack_plain

    walk = tree.walk(path)
    found = next(walk)
    if not found.is_file or not _is_tar(found):
        walk.close()
        return None
    target = store.staging.new_path("archive")
    os.mkdir(target, 0o755)
    stack.callback(store.staging.discard, target)
    descriptor = found.open()
    try:
        unpack_plain(target, decompressed(_pieces(descriptor)), Plain())
    finally:
        os.close(descriptor)
        walk.close()
    return Tree(target, name=path)


def _pieces(descriptor: int) -> Iterator[bytes]:
    while piece := os.read(descriptor, _PIECE):
        yield piece


def _is_tar(found: Found) -> bool:
    descriptor = found.open()
    try:
        head = os.pread(descriptor, HEAD, 0)
        if detect(head):
            head = _decompressed_head(descriptor)
    finally:
        os.close(descriptor)
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
