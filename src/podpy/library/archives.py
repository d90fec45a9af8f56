"""Archives of files out of a container and into it, as `docker cp` has them."""

from __future__ import annotations

from podpy.library import descriptors
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import BinaryIO

_CHUNK = 1 << 20


class PathStat(Record):
    """A path of a container."""

    name: str
    size: int  # bytes
    mode: int  # the permissions' bits
    mtime: float  # seconds since 1970
    link_target: str = ""


def read(write_to: Callable[[int], object]) -> tuple[Iterator[bytes], PathStat]:
    """Return a tar, piece by piece, that `write_to(descriptor)` writes, and its first member."""
    import tarfile
    import tempfile

    file = tempfile.TemporaryFile()  # noqa: SIM115 (the iterator closes it)
    write_to(file.fileno())
    file.seek(0)
    with tarfile.open(fileobj=file, mode="r:") as archive:
        member = archive.next()
    if member is None:
        found = PathStat(name="", size=0, mode=0, mtime=0.0)
    else:
        found = PathStat(
            name=member.name, size=member.size, mode=member.mode, mtime=member.mtime, link_target=member.linkname
        )
    file.seek(0)
    return _pieces(file), found


def _pieces(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while data := file.read(_CHUNK):
            yield data


def give(data: bytes | BinaryIO, read_from: Callable[[int], object]) -> None:
    """Call `read_from(descriptor)` with a descriptor that this tar can be read from."""
    if not isinstance(data, bytes):
        try:
            descriptor = data.fileno()
        except OSError:  # a file in memory has none
            data = data.read()
        else:
            read_from(descriptor)
            return
    descriptor = descriptors.given(data)
    try:
        read_from(descriptor)
    finally:
        descriptors.close(descriptor)
