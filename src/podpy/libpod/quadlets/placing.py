"""Puts files into the directory of Quadlet's files: all of them, or none.

    DIRECTORY/.podpy-install.d/       what isn't in its place yet; whoever fills it holds a flock on it. The generator
                                      reads nothing in it, as it takes `.d` for a directory of drop-ins
    DIRECTORY/.web.container.asset    names of files that came with web.container, one a line: Podman's form

A new directory of an application gets its name in one rename. Other files get theirs one by one, those that others
need first, and an error takes back those that are new. A kill may leave some of them, of which each is whole, and the
staging directory, which the next call of install, list or rm removes.
"""

from __future__ import annotations

import errno
import fcntl
import os

from podpy.errors import AlreadyError, UsageError
from podpy.files import fsync_directory, unlink
from podpy.libpod.quadlets.sources import ALL_MAY_READ, Piece
from podpy.quadlet.keys import KINDS, ending

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

STAGING = ".podpy-install.d"
_LONGEST_LIST = 1 << 16  # bytes


def place(directory: str, pieces: Sequence[Piece], *, application: str = "", replace: bool = False) -> None:
    """Write files. Raises AlreadyError, UsageError (nothing is written then), OSError."""
    if application and os.path.islink(f"{directory}/{application}"):
        raise UsageError(f"{directory}/{application} is a link, and isn't written through", hint="Remove it")
    os.makedirs(directory, exist_ok=True)
    staging = f"{directory}/{STAGING}"
    try:
        lock = _locked(staging, wait=True)
    except OSError as error:
        error.filename = directory  # the caller knows of no other
        raise
    try:
        if application and not os.path.lexists(f"{directory}/{application}"):
            _write_all(f"{staging}/{application}", pieces)
            os.rename(f"{staging}/{application}", f"{directory}/{application}")
            fsync_directory(directory)
        else:
            _one_by_one(staging, f"{directory}/{application}" if application else directory, pieces, replace=replace)
    finally:
        _remove(staging)
        os.close(lock)


def clean(directory: str) -> None:
    """Remove what a killed call left."""
    if not os.path.lexists(f"{directory}/{STAGING}"):
        return
    try:
        lock = _locked(f"{directory}/{STAGING}", wait=False)
        _remove(f"{directory}/{STAGING}")
        os.close(lock)
    except OSError:  # another call is at work, or the directory isn't ours to write to
        pass


def _locked(path: str, *, wait: bool) -> int:
    """Return a descriptor of the empty staging directory, which is this call's until it is closed. Raises OSError."""
    while True:
        os.makedirs(path, 0o700, exist_ok=True)
        lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            if os.path.samestat(os.fstat(lock), os.lstat(path)):
                _empty(path)
                return lock
        except FileNotFoundError:
            pass  # the call before this one has just removed it
        except BaseException:
            os.close(lock)
            raise
        os.close(lock)


def _empty(path: str) -> None:
    from shutil import rmtree

    with os.scandir(path) as found:
        for entry in found:
            if entry.is_dir(follow_symlinks=False):
                rmtree(entry.path)
            else:
                os.unlink(entry.path)


def _remove(staging: str) -> None:
    _empty(staging)
    os.rmdir(staging)


def _write_all(base: str, pieces: Sequence[Piece]) -> None:
    """Write files below a directory, and let them last."""
    made = set()
    for piece in pieces:
        path = f"{base}/{piece.name}"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        made.add(os.path.dirname(path))
        _write(path, piece)
    for directory in made:
        fsync_directory(directory)


def _write(path: str, piece: Piece) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        view = memoryview(piece.raw)
        while view:
            view = view[os.write(descriptor, view) :]
        os.fchmod(descriptor, piece.mode)  # whatever the umask is
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _one_by_one(staging: str, base: str, pieces: Sequence[Piece], *, replace: bool) -> None:
    ordered = sorted(pieces, key=_rank)
    for number, piece in enumerate(ordered):
        _write(f"{staging}/{number}", piece)
    new: list[str] = []
    path = base
    try:
        for number, piece in enumerate(ordered):
            path = f"{base}/{piece.name}"
            os.makedirs(os.path.dirname(path), exist_ok=True)
            # The list of what came along may be that of a file which somebody has removed.
            if (replace or piece.name.endswith(".asset")) and os.path.lexists(path):
                os.rename(f"{staging}/{number}", path)
            else:
                _link(f"{staging}/{number}", path)
                new.append(path)
    except BaseException as error:
        for made in new:
            unlink(made)
        if isinstance(error, OSError) and str(error.filename).startswith(staging):
            error.filename, error.filename2 = path, None  # the caller knows of no other
        raise
    for directory in {os.path.dirname(f"{base}/{piece.name}") for piece in pieces}:
        fsync_directory(directory)


def _link(aside: str, path: str) -> None:
    """Give a file its name, which nothing else may have. Raises AlreadyError, OSError."""
    try:
        os.link(aside, path)
    except FileExistsError:
        raise AlreadyError(
            f"a Quadlet with name {os.path.basename(path)} already exists, refusing to overwrite",
            hint="--replace overwrites it",
        ) from None
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS):
            raise
        os.rename(aside, path)  # a file system without links


def _rank(piece: Piece) -> int:
    """Return a file's place: those that others need come first."""
    end = ending(os.path.basename(piece.name))
    return KINDS[end][2] if end else 0


def assets_file(name: str) -> str:
    """Return the name of the file that lists what came with a file."""
    return f".{name}.asset"


def asset_list(directory: str, pieces: Sequence[Piece]) -> list[Piece]:
    """Return, as a file, the list of what comes with the first one of these; none if nothing does."""
    more = [piece.name for piece in pieces if not ending(piece.name)]
    if not more:
        return []
    owner = next(piece.name for piece in pieces if ending(piece.name))
    lines = dict.fromkeys([*assets(directory, owner), *more])
    raw = "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape")
    return [Piece(name=assets_file(owner), raw=raw, origin="", mode=ALL_MAY_READ)]


def assets(directory: str, name: str) -> list[str]:
    """Return the names of the files that came with a file of Quadlet."""
    try:
        with open(f"{directory}/{assets_file(name)}", encoding="utf-8", errors="surrogateescape") as file:
            lines = [line.strip() for line in file.read(_LONGEST_LIST).splitlines()]
    except OSError:
        return []
    return [line for line in lines if line and "/" not in line and line not in (".", "..") and not ending(line)]


def remove(directory: str, name: str) -> None:
    """Remove a file, and before it what came with it and with no other one. Raises OSError."""
    own = assets(directory, name)
    if own:
        with os.scandir(directory) as found:
            others = [entry.name[1 : -len(".asset")] for entry in found if entry.name.endswith(".asset")]
        kept = {asset for other in others if other != name for asset in assets(directory, other)}
        for asset in own:
            if asset not in kept:
                unlink(f"{directory}/{asset}")
    unlink(f"{directory}/{assets_file(name)}")
    unlink(f"{directory}/{name}")
