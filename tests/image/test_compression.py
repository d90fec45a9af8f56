"""Compressed streams: recognised, whole or cut off, broken, several in a row, bombs bounded piece by piece."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import struct
import sys
import zlib

import pytest

from podpy.errors import ImageError
from podpy.image.incoming.compression import PIECE, decompressor, detect

zstd = pytest.importorskip("compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd")
RAW = os.urandom(100_000) + b"\0" * 3_000_000
PACKERS = {"gzip": gzip.compress, "zstd": zstd.compress, "xz": lzma.compress, "bzip2": bz2.compress}


def unpack(kind: str, data: bytes, step: int) -> bytes:
    stream = decompressor(kind)
    pieces = []
    try:
        for start in range(0, len(data), step):
            for piece in stream.feed(data[start : start + step]):
                assert len(piece) <= PIECE
                pieces.append(piece)
        stream.finish()
    finally:
        stream.close()
    return b"".join(pieces)


@pytest.mark.parametrize("kind", PACKERS)
@pytest.mark.parametrize("step", [1 << 18, 1003])
def test_two_streams_in_a_row(kind: str, step: int) -> None:
    packed = PACKERS[kind](RAW[:500]) + PACKERS[kind](RAW[500:])
    assert detect(packed) == kind
    assert unpack(kind, packed, step) == RAW


def member(flags: int, data: bytes) -> bytes:
    """Return a gzip member whose header has the optional parts that the flags name (RFC 1952)."""
    head = b"\x1f\x8b\x08" + bytes([flags]) + bytes(5) + b"\xff"
    head += struct.pack("<H2sH4s", 8, b"ab", 4, b"1234") if flags & 4 else b""
    head += b"name\0" if flags & 8 else b""
    head += b"comment\0" if flags & 16 else b""
    head += struct.pack("<H", zlib.crc32(head) & 0xFFFF) if flags & 2 else b""
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    return head + deflate.compress(data) + deflate.flush() + struct.pack("<II", zlib.crc32(data), len(data))


@pytest.mark.parametrize("flags", range(32))
def test_a_gzip_header_may_come_in_pieces_whatever_is_in_it(flags: int) -> None:
    packed = member(flags, b"one") + member(flags, b"two")
    for step in (1, 2, 3, 5, 7, 11, 13, 17, 29, len(packed)):
        assert unpack("gzip", packed, step) == b"onetwo"
        assert unpack("gzip", packed + b"\0" * 9, step) == b"onetwo"


@pytest.mark.parametrize("kept", [1, 3, 4, 12])
def test_a_gzip_member_that_only_begins_ends_too_early(kept: int) -> None:
    packed = member(0, b"one")
    with pytest.raises(ImageError, match="ends too early"):
        unpack("gzip", packed + packed[:kept], 1 << 16)


@pytest.mark.parametrize("kind", PACKERS)
def test_a_stream_that_is_cut_off(kind: str) -> None:
    packed = PACKERS[kind](RAW)
    with pytest.raises(ImageError, match="ends too early"):
        unpack(kind, packed[: len(packed) // 2], 1 << 16)


@pytest.mark.parametrize("kind", PACKERS)
def test_a_stream_that_is_broken(kind: str) -> None:
    packed = bytearray(PACKERS[kind](RAW))
    packed[10:60] = os.urandom(50)
    with pytest.raises(ImageError, match=f"broken {kind} data"):
        unpack(kind, bytes(packed), 1 << 16)


def test_what_is_not_compressed_passes() -> None:
    assert detect(b"plain") == ""
    assert unpack("", RAW, 1000) == RAW
