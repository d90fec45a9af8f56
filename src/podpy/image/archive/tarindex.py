"""The position of each file in an uncompressed tar, read without unpacking anything.

For the outer tar of docker-archive and oci-archive only (POSIX.1-2001 pax, ustar and GNU long names); `podpy.storage`
unpacks layers. Not `tarfile`: it reads extended headers of any size into memory.
"""

from __future__ import annotations

import os
import posixpath

from podpy.errors import ImageError, UnknownFormatError, shorten
from podpy.record import Record

_BLOCK = 512
_ENTRY_LIMIT = 100_000
_EXTENDED_LIMIT = 1 << 20
_LINK_DEPTH = 16
_NAME_LIMIT = 512  # real names have about 100; 100,000 names of a MiB each wouldn't fit into memory


class Entry(Record):
    """A file's position in the tar, or the target of a link."""

    offset: int
    size: int
    link: str = ""


class _Pending:
    """The extended headers' values for the next entry."""

    def __init__(self) -> None:
        self.name = ""
        self.link = ""
        self.size: int | None = None


def read_index(descriptor: int, size: int) -> dict[str, Entry]:
    """Return the entries by their normalised names (no leading `./` or `/`). `size`: bytes of the file.

    Raises ImageError if it isn't a tar, or is cut off.
    """
    entries: dict[str, Entry] = {}
    pending = _Pending()
    at = 0
    while at + _BLOCK <= size:
        header = os.pread(descriptor, _BLOCK, at)
        if header.count(0) == _BLOCK:
            return entries
        _check_sum(header, at)
        length = _number(header[124:136])
        kind = header[156:157]
        if kind in (b"L", b"K", b"x", b"g"):
            _extended(pending, kind, _extended_data(descriptor, at, length))
        else:
            if pending.size is not None:
                length = pending.size
            _add(entries, pending, header, kind, at + _BLOCK, length)
            pending = _Pending()
            length = 0 if kind in (b"1", b"2", b"3", b"4", b"5", b"6") else length
        if at + _BLOCK + length > size:
            raise ImageError("the archive ends in the middle of a file: it is cut off")
        at += _BLOCK + (length + _BLOCK - 1) // _BLOCK * _BLOCK
    if not entries:
        raise UnknownFormatError("the archive is empty or no tar")
    return entries


def find(entries: dict[str, Entry], name: str) -> Entry | None:
    """Return the file of this name, links followed inside the archive, or None."""
    name = _clean(name)
    for _ in range(_LINK_DEPTH):
        entry = entries.get(name)
        if entry is None or not entry.link:
            return entry
        name = entry.link
    return None


def _add(entries: dict[str, Entry], pending: _Pending, header: bytes, kind: bytes, offset: int, length: int) -> None:
    if len(entries) >= _ENTRY_LIMIT:
        raise ImageError(f"the archive has more than {_ENTRY_LIMIT} entries")
    name = _clean(pending.name or _header_name(header))
    link = pending.link or _text(header[157:257])
    if len(name) > _NAME_LIMIT or len(link) > _NAME_LIMIT:
        raise ImageError(f"the archive has a name of more than {_NAME_LIMIT} characters: {shorten(name)}")
    if kind in (b"0", b"\0", b"7"):
        entries[name] = Entry(offset=offset, size=length)
    elif kind == b"1":
        entries[name] = Entry(offset=0, size=0, link=_clean(link))
    elif kind == b"2":
        entries[name] = Entry(offset=0, size=0, link=_clean(posixpath.join(posixpath.dirname(name), link)))


def _clean(name: str) -> str:
    return posixpath.normpath("/" + name).lstrip("/")


def _header_name(header: bytes) -> str:
    name = _text(header[0:100])
    prefix = _text(header[345:500]) if header[257:263] == b"ustar\0" else ""
    return f"{prefix}/{name}" if prefix else name


def _text(field: bytes) -> str:
    return field.partition(b"\0")[0].decode("utf-8", "surrogateescape")


def _number(field: bytes) -> int:
    if field[0] & 0x80:  # GNU's base 256
        value = int.from_bytes(field[1:], "big")
        return value if field[0] == 0x80 and value < 1 << 62 else 1 << 62
    digits = field.strip(b" \0")
    if digits.translate(
        None, b"01234567"
    ):  # int() would accept "-1000" too; with a negative size the loop would never end
        raise UnknownFormatError("the archive is no tar: a size is not a number")
    return int(digits or b"0", 8)


def _check_sum(header: bytes, at: int) -> None:
    unsigned = sum(header[:148]) + sum(header[156:]) + 8 * 32
    try:
        fits = len(header) == _BLOCK and _number(header[148:156]) == unsigned
    except ImageError:  # text, not a number
        fits = False
    if not fits:
        what = "it is no tar" if at == 0 else f"its header at {at} is damaged"
        raise UnknownFormatError(
            f"the archive can't be read: {what}", hint="podpy load takes docker-archive, oci-archive, OCI directories"
        )


def _extended_data(descriptor: int, at: int, length: int) -> bytes:
    if length > _EXTENDED_LIMIT:
        raise ImageError(f"the archive has an extended header of {length} bytes, more than {_EXTENDED_LIMIT}")
    return os.pread(descriptor, length, at + _BLOCK)


def _extended(pending: _Pending, kind: bytes, data: bytes) -> None:
    if kind == b"L":
        pending.name = _text(data)
    elif kind == b"K":
        pending.link = _text(data)
    elif kind == b"x":
        for key, value in _pax_records(data):
            if key == b"path":
                pending.name = value.decode("utf-8", "surrogateescape")
            elif key == b"linkpath":
                pending.link = value.decode("utf-8", "surrogateescape")
            elif key == b"size" and value.isdigit() and len(value) < 20:
                pending.size = int(value)


def _pax_records(data: bytes) -> list[tuple[bytes, bytes]]:
    records = []
    while data:
        digits, space, _ = data.partition(b" ")
        if not space or not digits.isdigit() or len(digits) > 8 or not 0 < int(digits) <= len(data):
            raise ImageError(f"the archive has a damaged extended header: {shorten(repr(data[:40]))}")
        record = data[len(digits) + 1 : int(digits)].rstrip(b"\n")
        key, _, value = record.partition(b"=")
        records.append((key, value))
        data = data[int(digits) :]
    return records
