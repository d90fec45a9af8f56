"""Compressed streams: recognised, whole or cut off, broken, several in a row, bombs bounded piece by piece."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import sys

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
