"""What `quadlet install` brings: files, directories, addresses of web servers, several files in one (`.quadlets`)."""

from __future__ import annotations

import os
from stat import S_ISREG

from podpy.errors import NotFoundError, UsageError
from podpy.quadlet.keys import KINDS, ending
from podpy.quadlet.search import LARGEST_FILE
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SEVERAL = ".quadlets"
_DIVIDER = "---"
_NAME = "FileName="
_MOST_FILES = 1000
_LARGEST = 16 << 20  # bytes of a file that goes with the others
_DEEPEST = 8  # directories below each other
_ARCHIVES = (".tar", ".tar.gz", ".tgz")
_GZIP = b"\x1f\x8b"
ALL_MAY_READ = 0o644
_KEPT_BITS = 0o755  # of a file's permissions
_ADDRESSES = ("http://", "https://")


class Piece(Record):
    """One file to be installed: its path in the place where it goes, its bytes, what it is from, and who may read it:
    a file that goes with the others has the permissions that it has, but that nobody else may write to it.
    """

    name: str
    raw: bytes
    origin: str
    mode: int = ALL_MAY_READ


def collect(paths: Sequence[str], application: str) -> list[Piece]:
    """Return the files of all sources. Raises UsageError for what can't be installed, NotFoundError, OSError.

    `application`: the name of the directory that they go into, or empty; a directory needs one.
    """
    pieces: list[Piece] = []
    for number, path in enumerate(paths):
        if path.startswith(_ADDRESSES):
            pieces += _unpacked(_downloaded(path, is_first=number == 0), application)
        elif os.path.isdir(path):
            if not application:
                raise UsageError(
                    "application name cannot be empty when installing from directory", hint="--application NAME"
                )
            inside = "" if number == 0 else os.path.basename(os.path.abspath(path))
            pieces += _directory(path, inside, f"{os.path.realpath(path)}/", 0)
        else:
            if number == 0 and not _may_be_first(os.path.basename(path)):
                kind = os.path.splitext(path)[1]
                hint = f"It ends with {', '.join([*sorted(KINDS), SEVERAL, *_ARCHIVES])}"
                raise UsageError(f'"{kind}" is not a supported Quadlet file type', hint=hint)
            pieces += _unpacked(_read(path, os.path.basename(path)), application)
        if len(pieces) > _MOST_FILES:
            raise UsageError(f"more than {_MOST_FILES} files")
    if not any(ending(piece.name) for piece in pieces):
        raise UsageError(f"{', '.join(paths)}: no file of Quadlet is there")
    _check(pieces)
    return pieces


def _read(path: str, name: str) -> Piece:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError as error:
        raise NotFoundError(f"unable to stat Quadlet path {path}: no such file or directory") from error
    with os.fdopen(descriptor, "rb") as file:
        mode = os.fstat(descriptor).st_mode
        if not S_ISREG(mode):
            raise UsageError(f"{path} is no regular file")
        raw = file.read(_LARGEST + 1)
    if len(raw) > _limit(path):
        raise UsageError(f"{path} is too big")
    return Piece(name=name, raw=raw, origin=path, mode=_mode(name, mode))


def _mode(name: str, mode: int) -> int:
    return ALL_MAY_READ if ending(name) else mode & _KEPT_BITS


def _directory(path: str, inside: str, top: str, depth: int) -> Iterator[Piece]:
    """Yield the files of a directory. Links lead to what is below `top`: another file may be none that all may read."""
    if depth > _DEEPEST:
        raise UsageError(f"{path}: more than {_DEEPEST} directories below each other")
    for name in sorted(os.listdir(path)):
        whole, relative = f"{path}/{name}", f"{inside}/{name}".lstrip("/")
        if os.path.islink(whole) and not os.path.realpath(whole).startswith(top):
            raise UsageError(f"{whole} leads out of the directory", hint="Put a copy of the file in its place")
        if os.path.isdir(whole):
            yield from _directory(whole, relative, top, depth + 1)
        else:
            yield _read(whole, relative)


def _downloaded(address: str, *, is_first: bool) -> Piece:
    from urllib.parse import unquote, urlsplit

    from podpy.image.incoming.download import download

    name = os.path.basename(unquote(urlsplit(address).path))
    if not name or (is_first and not _may_be_first(name)):
        raise UsageError(f"{address}: no name of a Quadlet file", hint="The address ends with the file's name")
    raw = bytearray()
    for part in download(address):
        raw += part
        if len(raw) > _limit(name):
            raise UsageError(f"{address} is too big")
    return Piece(name=name, raw=bytes(raw), origin=address)


def _may_be_first(name: str) -> bool:
    """Return whether a file may begin an install; others go with it."""
    return bool(ending(name)) or name.endswith((SEVERAL, *_ARCHIVES))


def _limit(name: str) -> int:
    return LARGEST_FILE if ending(name) or name.endswith(SEVERAL) else _LARGEST


def _unpacked(piece: Piece, application: str) -> list[Piece]:
    """Return the files of an archive, or of several in one, or the one."""
    if not piece.name.endswith(_ARCHIVES):
        return _several(piece)
    if not application:
        raise UsageError("application name cannot be empty when installing from an archive", hint="--application NAME")
    return _from_archive(piece)


def _from_archive(piece: Piece) -> list[Piece]:
    """Return the regular files of a tar, compressed by gzip or not. A directory that all are in is left out."""
    import tarfile
    from io import BytesIO

    whole = _decompressed(piece) if piece.raw.startswith(_GZIP) else piece.raw
    found: list[Piece] = []
    try:
        with tarfile.open(fileobj=BytesIO(whole), mode="r:") as archive:
            for member in archive:
                name = os.path.normpath(member.name)
                if member.isdir():
                    continue
                if not member.isreg():
                    raise UsageError(f"{piece.origin}: {name!r} is no regular file")
                if member.size > _limit(name):
                    raise UsageError(f"{piece.origin}: {name} is too big")
                content = archive.extractfile(member)
                raw = content.read() if content else b""
                origin = f"{piece.origin}:{name}"
                found.append(Piece(name=name, raw=raw, origin=origin, mode=_mode(name, member.mode)))
                if len(found) > _MOST_FILES:
                    raise UsageError(f"{piece.origin}: more than {_MOST_FILES} files")
    except (tarfile.TarError, EOFError, ValueError, OverflowError) as error:
        raise UsageError(f"{piece.origin}: no tar archive: {error}") from error
    tops = {each.name.partition("/")[0] for each in found}
    is_inside = len(tops) == 1 and not tops & {"", ".."} and all("/" in each.name for each in found)
    top = f"{next(iter(tops))}/" if is_inside else ""
    return [each.replace(name=each.name.removeprefix(top)) for each in found]


def _decompressed(piece: Piece) -> bytes:
    import zlib

    worker = zlib.decompressobj(wbits=31)  # gzip's header and trailer
    try:
        raw = worker.decompress(piece.raw, _LARGEST + 1)
    except zlib.error as error:
        raise UsageError(f"{piece.origin}: {error}") from error
    if len(raw) > _LARGEST:
        raise UsageError(f"{piece.origin} is too big")
    return raw


def _several(piece: Piece) -> list[Piece]:
    """Return the files that are in one, or the one."""
    if not piece.name.endswith(SEVERAL):
        return [piece]
    found = []
    lines = piece.raw.decode("utf-8", "replace").splitlines()
    parts: list[list[str]] = [[]]
    for line in lines:
        if line.strip() == _DIVIDER:
            parts.append([])
        else:
            parts[-1].append(line)
    for number, part in enumerate(parts, 1):
        if "".join(part).strip():
            name = _name_of(part, f"{piece.origin}: section {number}")
            found.append(Piece(name=name, raw=("\n".join(part).strip() + "\n").encode(), origin=piece.origin))
    if not found:
        raise UsageError(f"no valid quadlet sections found in file {piece.origin}")
    return found


def _name_of(lines: list[str], where: str) -> str:
    """Return the file name that a comment gives a part, with the ending of its kind."""
    sections = [line.strip().strip("[]").lower() for line in lines if line.strip().startswith("[")]
    end = next((f".{name}" for name in sections if f".{name}" in KINDS), "")
    if not end:
        known = ", ".join(f"[{kind[0]}]" for kind in KINDS.values())
        raise UsageError(f"{where}: no recognized quadlet section found (expected {known})")
    comments = [line.strip()[1:].strip() for line in lines if line.strip().startswith("#")]
    name = next((text.removeprefix(_NAME).strip() for text in comments if text.startswith(_NAME)), None)
    if name is None:
        raise UsageError(f"{where}: missing required '# FileName=<name>' comment at the beginning of quadlet section")
    if not name or "/" in name or "\\" in name:
        raise UsageError(f"{where}: FileName '{name}' is no name of a file")
    return f"{name.removesuffix(end)}{end}"


def _check(pieces: list[Piece]) -> None:
    seen: dict[str, str] = {}
    for piece in pieces:
        parts = piece.name.split("/")
        if any(part in ("", ".", "..") or not part.isprintable() for part in parts):
            raise UsageError(f"{piece.origin}: {piece.name!r} is no name of a file")
        if piece.name in seen:
            raise UsageError(f"{piece.origin} and {seen[piece.name]} would both be {piece.name}")
        seen[piece.name] = piece.origin
