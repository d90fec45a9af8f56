"""A layer's tar, written entry by entry: ustar, with pax records for what ustar has no room for (POSIX.1-2001).

Times are whole seconds, as other builders write them. The same entries give the same bytes.
"""

from __future__ import annotations

import os

from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

BLOCK = 512
_PIECE = 1 << 20
_LONGEST_NAME = 100
_LARGEST_ID = 0o7777777
_LARGEST_SIZE = 0o77777777777
FILE, LINK, SYMLINK, DIRECTORY, FIFO = b"0", b"1", b"2", b"5", b"6"
_CHARACTER, _BLOCK_DEVICE = b"3", b"4"
DEVICES = {0o020000: _CHARACTER, 0o060000: _BLOCK_DEVICE}
"""The kinds of device nodes by the bits of their type (inode(7))."""


class Entry(Record):
    """One entry. `name` has no slash in front; `link`: where a link leads. `size`: a file's bytes, which follow."""

    name: bytes
    kind: bytes = FILE
    mode: int = 0o644
    uid: int = 0
    gid: int = 0
    mtime: int = 0
    size: int = 0
    link: bytes = b""
    device: int = 0
    attributes: Mapping[bytes, bytes] = {}


def header(entry: Entry) -> bytes:
    """Return an entry's header, after a pax header if it needs one."""
    name = entry.name + b"/" if entry.kind == DIRECTORY else entry.name
    records = _records(entry, name)
    first = b""
    if records:
        data = b"".join(_record(key, value) for key, value in records)
        ustar = _ustar(b"PaxHeaders.0/entry", b"x", 0o644, (0, 0), len(data), 0)
        first = ustar + data + padding(len(data))
    ids = (_or_zero(entry.uid, _LARGEST_ID), _or_zero(entry.gid, _LARGEST_ID))
    size, mtime = _or_zero(entry.size, _LARGEST_SIZE), _or_zero(entry.mtime, _LARGEST_SIZE)
    device = (os.major(entry.device), os.minor(entry.device)) if entry.device else (0, 0)
    return first + _ustar(
        name[:_LONGEST_NAME], entry.kind, entry.mode, ids, size, mtime, link=entry.link[:_LONGEST_NAME], device=device
    )


def _or_zero(number: int, largest: int) -> int:
    return number if 0 <= number <= largest else 0


def _records(entry: Entry, name: bytes) -> list[tuple[bytes, bytes]]:
    """Return what ustar's fields can't say."""
    records = []
    if len(name) > _LONGEST_NAME:
        records.append((b"path", name))
    if len(entry.link) > _LONGEST_NAME:
        records.append((b"linkpath", entry.link))
    numbers = (
        (b"uid", entry.uid, _LARGEST_ID),
        (b"gid", entry.gid, _LARGEST_ID),
        (b"size", entry.size, _LARGEST_SIZE),
        (b"mtime", entry.mtime, _LARGEST_SIZE),
    )
    records += [(key, b"%d" % number) for key, number, largest in numbers if not 0 <= number <= largest]
    return records + [(b"SCHILY.xattr." + key, value) for key, value in sorted(entry.attributes.items())]


def _record(key: bytes, value: bytes) -> bytes:
    """Return "LENGTH KEY=VALUE\\n", where LENGTH counts itself."""
    rest = len(key) + len(value) + 3
    length = rest + len(str(rest))
    length = rest + len(str(length))
    return b"%d %s=%s\n" % (length, key, value)


def _ustar(
    name: bytes,
    kind: bytes,
    mode: int,
    ids: tuple[int, int],
    size: int,
    mtime: int,
    *,
    link: bytes = b"",
    device: tuple[int, int] = (0, 0),
) -> bytes:
    first = b"%s%07o\0%07o\0%07o\0%011o\0%011o\0" % (name.ljust(100, b"\0"), mode, *ids, size, mtime)
    last = b"%s%sustar\x0000%s%07o\0%07o\0" % (kind, link.ljust(100, b"\0"), bytes(64), *device)
    total = sum(first) + sum(last) + 8 * 32
    return (b"%s%06o\0 %s" % (first, total, last)).ljust(BLOCK, b"\0")


def padding(size: int) -> bytes:
    """Return what fills a content's last block."""
    return bytes(-size % BLOCK)


def end() -> bytes:
    """Return the end of an archive."""
    return bytes(2 * BLOCK)


def contents(descriptor: int, size: int) -> Iterator[bytes]:
    """Yield a file's bytes, exactly `size`: one that became shorter meanwhile is filled with zeros."""
    left = size
    while left:
        piece = os.read(descriptor, min(left, _PIECE)) or bytes(min(left, _PIECE))
        left -= len(piece)
        yield piece
    yield padding(size)
