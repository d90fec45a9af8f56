"""Compressed streams: recognised by their first bytes, decompressed piece by piece, each piece bounded.

If installed, isal (twice as fast as zlib) and backports.zstd are used; Python 3.14 has its own zstd.
"""

from __future__ import annotations

from podpy.errors import ImageError, shorten
from podpy.image.incoming import windows
from podpy.storage.layers.recipe import zstd_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator
    from typing import Any

# At most this much comes out at once: a small input may mean gigabytes. Larger pieces are slower: their memory goes
# back to the kernel each time, and its pages are made again (measured: 51,000 page faults of a pull became 30,000).
PIECE = 256 << 10
HEAD = 262  # bytes needed to recognise a format (tar's magic is at 257)

_GZIP_LEVEL = 1  # isal: 336 MB/s, 15 % larger than zlib's 6, which makes 18 (measured)
_ISAL_LEVELS = 3
_ZSTD_LEVEL = 3
# Where a gzip header (RFC 1952) says which optional parts it has: its checksum 2, extra field 4, name 8, comment 16.
# isal 1.9.1 loses a header that comes in two pieces if it has the checksum or more than one of the others.
_FLAGS = 3
_OPTIONAL = 0x1E
_ALONE = (0, 4, 8, 16)
_MAGIC = ((b"\x1f\x8b", "gzip"), (b"\x28\xb5\x2f\xfd", "zstd"), (b"\xfd7zXZ\x00", "xz"), (b"BZh", "bzip2"))
_SKIPPABLE = b"\x2a\x4d\x18"  # zstd's skippable frames: 0x184D2A5?, little endian


def detect(head: bytes) -> str:
    """Return `gzip`, `zstd`, `xz` or `bzip2`, or an empty text for anything else."""
    for magic, name in _MAGIC:
        if head.startswith(magic):
            return name
    return "zstd" if len(head) >= 4 and head[1:4] == _SKIPPABLE and head[0] >> 4 == 5 else ""


class Decompressor:
    """Push mode: `feed` yields output, `finish` checks that the stream was whole.

    Always call `close` at the end: others wait for what this one has taken of `windows.BUDGET`.
    """

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield pieces of at most about PIECE bytes, perhaps after waiting. Raises ImageError for broken data."""
        yield data

    def finish(self) -> None:
        """Raise ImageError if the stream stopped in its middle."""

    def close(self) -> None:
        """Free the memory."""


def decompressor(kind: str) -> Decompressor:
    """Return a decompressor for what `detect` returned; an empty kind passes everything on."""
    if not kind:
        return Decompressor()
    if kind == "gzip":
        return _Gzip()
    if kind == "xz":
        import lzma

        make = lambda: lzma.LZMADecompressor(memlimit=windows.XZ_LIMIT)  # noqa: E731
        return _Frames(kind, make, (lzma.LZMAError,), windows.xz_window)
    if kind == "bzip2":
        import bz2

        return _Frames(kind, bz2.BZ2Decompressor, (OSError, ValueError), windows.small_window)
    zstd = zstd_module()
    return _Frames(kind, zstd.ZstdDecompressor, (zstd.ZstdError,), windows.zstd_window)


def gzip_module() -> Any:
    """Return `isal.isal_zlib`, or `zlib` where isal isn't installed."""
    try:
        from isal import isal_zlib
    except ImportError:
        import zlib

        return zlib
    return isal_zlib


def compressor(kind: str, level: int | None = None) -> Any:
    """Return an object with `compress(data)` and `flush()` for "gzip" or "zstd". Raises ImageError for another kind."""
    if kind == "zstd":
        return zstd_module().ZstdCompressor(level=_ZSTD_LEVEL if level is None else level)
    if kind != "gzip":
        raise ImageError(f'layers can\'t be compressed with "{shorten(kind)}"', hint="podpy knows gzip and zstd")
    module = gzip_module()
    # isal has levels 0 to 3; a higher one that a user asks for is zlib's (containers/image takes 1 to 9, too).
    if level is not None and level > _ISAL_LEVELS:
        import zlib as module
    return module.compressobj(level=_GZIP_LEVEL if level is None else level, wbits=31)


def beginning(chunks: Iterator[bytes], length: int) -> bytes:
    """Take chunks until they have `length` bytes, or there are no more, and return them."""
    head = b""
    for chunk in chunks:
        head += chunk
        if len(head) >= length:
            break
    return head


def decompressed(chunks: Iterable[bytes]) -> Generator[bytes]:
    """Yield a stream's contents, compressed or not. Raises ImageError for broken data."""
    chunks = iter(chunks)
    head = beginning(chunks, HEAD)
    stream = decompressor(detect(head))
    try:
        yield from stream.feed(head)
        for chunk in chunks:
            yield from stream.feed(chunk)
        stream.finish()
    finally:
        stream.close()


class _Gzip(Decompressor):
    """gzip, several members one after the other included."""

    def __init__(self) -> None:
        self._module = gzip_module()
        self._object: Any = None  # no member has begun
        self._head = b""  # the next member's first bytes, too few yet to tell what its header has

    def feed(self, data: bytes) -> Iterator[bytes]:
        data, self._head = self._head + data, b""
        try:
            while data:
                if (self._object is None or self._object.eof) and not self._begin(data):
                    return
                piece = self._object.decompress(data, PIECE)
                data = self._object.unused_data if self._object.eof else self._object.unconsumed_tail
                if piece:
                    yield piece
                elif not self._object.eof and data:
                    raise ImageError("broken gzip data: it doesn't go on")
            yield from self._drain()
        except self._module.error as error:
            raise ImageError(f"broken gzip data: {error}") from None

    def _begin(self, data: bytes) -> bool:
        """Begin a member; return False for padding after the last one (gzip(1)), or if there are too few bytes."""
        if self._object is not None and not data.strip(b"\0"):
            return False
        if len(data) <= _FLAGS:
            self._head = data
            return False
        self._module = gzip_module()
        if data[_FLAGS] & _OPTIONAL not in _ALONE:
            import zlib

            self._module = zlib
        self._object = self._module.decompressobj(31)
        return True

    def _drain(self) -> Iterator[bytes]:
        # What the library holds back although its input is used up comes with the next call.
        while self._object is not None and not self._object.eof:
            piece = self._object.decompress(b"", PIECE)
            if not piece:
                return
            yield piece

    def finish(self) -> None:
        if self._object is None or not self._object.eof or self._head:
            raise ImageError("broken gzip data: it ends too early")


class _Frames(Decompressor):
    """zstd, xz and bzip2, whose modules have one interface (`needs_input`, `eof`, `unused_data`).

    A stream is one frame or several, each with a decompressor and a window of its own.
    """

    def __init__(
        self,
        kind: str,
        make: Callable[[], Any],
        errors: tuple[type[Exception], ...],
        window_of: Callable[[bytes], int | None],
    ) -> None:
        self._kind, self._make, self._errors, self._window_of = kind, make, errors, window_of
        self._object: Any = None  # no frame has begun, or the last one has ended
        self._window = 0  # what is taken from the budget for it
        self._head = b""  # the next frame's first bytes, too few yet to tell its window
        self._used = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        data, self._head = self._head + data, b""
        try:
            while data or not (self._object is None or self._object.needs_input):
                if self._object is None and not self._begin(data):
                    return
                piece = self._object.decompress(data, PIECE)
                data = b""
                if self._object.eof:
                    data = self._object.unused_data
                    self.close()
                if piece:
                    yield piece
        except self._errors as error:
            if "limit exceeded" in str(error):  # liblzma's LZMA_MEMLIMIT_ERROR has no class of its own
                raise windows.too_large(self._kind) from None
            raise ImageError(f"broken {self._kind} data: {error}") from None

    def _begin(self, data: bytes) -> bool:
        """Begin a frame; return False if there are too few bytes, or padding after the last one."""
        if self._used and not data.strip(b"\0"):
            return False
        window = self._window_of(data)
        if window is None:
            self._head = data
            return False
        windows.BUDGET.take(window)
        self._window = window
        self._object = self._make()
        self._used = True
        return True

    def finish(self) -> None:
        if not self._used or self._object is not None or self._head:
            raise ImageError(f"broken {self._kind} data: it ends too early")

    def close(self) -> None:
        self._object = None  # with its memory, before another one may take as much
        windows.BUDGET.give_back(self._window)
        self._window = 0
