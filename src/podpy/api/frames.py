"""Docker's frames: streams without a terminal are told apart by a head of eight bytes before each piece.

The head: 1 for standard output or 2 for standard error, three zeros, the length as 32 bits, big-endian.
"""

from __future__ import annotations

import struct

RAW = "application/vnd.docker.raw-stream"
MULTIPLEXED = "application/vnd.docker.multiplexed-stream"
_MULTIPLEXED_SINCE = (1, 42)
_HEAD = struct.Struct(">BxxxI")


def frame(stream: int, data: bytes) -> bytes:
    """Return a piece of standard output (1) or error (2) with its head."""
    return _HEAD.pack(stream, len(data)) + data


def content_type(version: tuple[int, int], *, tty: bool) -> str:
    """Return the type of a stream; before API 1.42 all were called raw."""
    return RAW if tty or version < _MULTIPLEXED_SINCE else MULTIPLEXED
