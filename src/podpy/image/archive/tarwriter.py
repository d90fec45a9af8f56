"""Tar archives for `save`: owner root, read-only, time 0, so the same image gives the same file each time."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

BLOCK = 512
END = b"\0" * (2 * BLOCK)
_MODE = 0o444  # what containers/image and Docker give to an archive's files
_OCTAL_LIMIT = 1 << 33  # eleven octal digits; GNU's base 256 says more (tar(5), "Numeric extensions")


def header(name: str, size: int, mode: int = _MODE, kind: bytes = b"0") -> bytes:
    """Return a ustar header (POSIX.1-1988) for a name of at most 100 bytes, owner root, time 0."""
    sizes = b"%011o\0" % size if size < _OCTAL_LIMIT else b"\x80" + size.to_bytes(11, "big")
    fields = [
        name.encode().ljust(100, b"\0"),
        *(b"%07o\0" % value for value in (mode, 0, 0)),
        sizes,
        b"%011o\0" % 0,
    ]
    rest = kind + b"\0" * 100 + b"ustar\x0000"
    total = sum(map(sum, fields)) + sum(rest) + 8 * 32
    return (b"".join(fields) + b"%06o\0 " % total + rest).ljust(BLOCK, b"\0")


def padding(size: int) -> bytes:
    """Return the padding of a file's last block."""
    return b"\0" * (-size % BLOCK)


class TarWriter:
    """Writes an archive through `write`, which must write all bytes that it gets."""

    def __init__(self, write: Callable[[bytes], object]) -> None:
        self._write = write
        self._names: set[str] = set()

    def has(self, name: str) -> bool:
        """Return whether a file of this name was written."""
        return name in self._names

    def add(self, name: str, data: bytes) -> None:
        """Write a file."""
        self.add_pieces(name, len(data), (data,))

    def add_pieces(self, name: str, size: int, pieces: Iterable[bytes]) -> None:
        """Write a file of a known size. Raises ValueError if the pieces have another size."""
        self._names.add(name)
        self._write(header(name, size))
        written = 0
        for piece in pieces:
            written += len(piece)
            self._write(piece)
        if written != size:
            raise ValueError(f"{name}: {written} bytes, not {size}")
        self._write(padding(size))

    def add_directory(self, name: str) -> None:
        """Write a directory's entry."""
        self._write(header(f"{name}/", 0, 0o755, b"5"))

    def end(self) -> None:
        """Write the end of the archive."""
        self._write(END)
