"""The meaning of paths in `podpy cp`: sources and targets. The rules are those of Podman and docker cp.

A path in a container resolves as the container itself would resolve it (podpy.beneath); a relative one begins at its
working directory. DIRECTORY/. means the directory's contents.
"""

from __future__ import annotations

import os
import stat

from podpy import beneath
from podpy.errors import NotFoundError, StorageError, UsageError
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from podpy.libpod.containers.contents.view import View

    Maps = Sequence[tuple[int, int, int]]

# Visible in a container, but not its files. Podman leaves out the same ones.
KERNELS = ("dev", "proc", "sys")
_READ = os.O_RDONLY | os.O_NOCTTY | os.O_CLOEXEC  # no O_NONBLOCK: the owner of a lease on the file is waited for
_MISSING = (FileNotFoundError, NotADirectoryError)
_NO_DIRECTORY = "destination must be a directory when copying a directory"


class Source(Record):
    """The source of a copy. `descriptor` of the file or directory: the caller closes it; `base`: its name; `contents`:
    copy the directory's contents, not the directory itself.
    """

    descriptor: int
    base: str
    told: str  # the path, for people
    side: str  # container, host
    is_directory: bool
    contents: bool = False
    excluded: Sequence[str] = ()
    uid_maps: Maps = ()
    gid_maps: Maps = ()


class Target(Record):
    """The target of a copy: `directory` is a path beneath `root`, a descriptor that the caller closes if `own` is true.

    `base`: the last part of the path; `exists`: it exists; `is_directory`: it is a directory, or doesn't exist.
    """

    root: int
    directory: str
    base: str
    told: str
    side: str
    exists: bool
    is_directory: bool
    own: bool = False


def name_in_archive(source: Source, target: Target) -> str:
    """Return the source's name beneath the target's directory; empty: copy only its contents there.

    Raises UsageError if a directory would have to replace a file.
    """
    if source.is_directory:
        if target.exists and not target.is_directory:
            raise UsageError(_NO_DIRECTORY)
        if not target.exists:
            return target.base
        return "" if source.contents else source.base
    return source.base if target.exists and target.is_directory else target.base


def on_host(path: str, directory: str) -> Source:
    """Return a source on the host. Raises NotFoundError, StorageError."""
    whole = os.path.join(directory, path)
    try:
        descriptor = _open_for_reading(whole, None)
    except _MISSING:
        raise NotFoundError(f'"{path}" could not be found on the host: no such file or directory') from None
    except OSError as error:
        raise StorageError(f'"{path}" could not be found on the host: {error.strerror}') from None
    last = path.rstrip("/").rpartition("/")[2]
    base = os.path.basename(os.path.realpath(whole)) if last in ("", ".", "..") else last
    return Source(
        descriptor=descriptor,
        base=base,
        told=path,
        side="host",
        is_directory=stat.S_ISDIR(os.fstat(descriptor).st_mode),
        contents=last == "." or not base,
    )


def in_container(view: View, path: str) -> Source:
    """Return a source in a container. Raises NotFoundError, StorageError."""
    whole = _absolute(view, path)
    try:
        real = beneath.real_path(view.path, whole)
        if real.split("/")[1] in KERNELS:
            raise NotFoundError("copying from container: copier: get: copied no items: no such file or directory")
        descriptor = _open_for_reading(whole, view.path)
    except _MISSING:
        raise _not_found(view, path) from None
    except OSError as error:
        raise StorageError(
            f'"{path}" could not be found on container {view.container.name}: {error.strerror}'
        ) from None
    return Source(
        descriptor=descriptor,
        base=os.path.basename(real),
        told=path,
        side="container",
        is_directory=stat.S_ISDIR(os.fstat(descriptor).st_mode),
        contents=real == "/" or path == "." or path.endswith("/."),
        excluded=KERNELS if real == "/" else (),
        uid_maps=view.uid_maps,
        gid_maps=view.gid_maps,
    )


def into_container(view: View, path: str, *, archive: bool = False) -> Target:
    """Return a target in a container. `archive`: the source is an archive, so the target must be a directory. Raises
    NotFoundError, UsageError, StorageError.
    """
    whole = _absolute(view, path)
    root = view.path
    mode = _mode(whole.rstrip("/") or "/", root)
    if mode < 0 and path.endswith("/"):
        raise _not_found(view, path)
    if archive and not (mode >= 0 and stat.S_ISDIR(mode)):
        raise UsageError("destination must be a directory when copying from stdin")
    real = beneath.real_path(root, whole)
    target = _target(view.root, real, path, "container", mode)
    if mode < 0 and not stat.S_ISDIR(max(_mode(os.path.dirname(real), root), 0)):
        raise _not_found(view, path)
    return target


def onto_host(path: str, directory: str) -> Target:
    """Return a target on the host; its root is its directory. Raises NotFoundError, UsageError, StorageError."""
    whole = os.path.join(directory, path)
    mode = _mode(whole.rstrip("/") or "/", None)
    missing = NotFoundError(f'"{path}" could not be found on the host: no such file or directory')
    if mode < 0 and path.endswith("/"):
        raise missing
    real = os.path.realpath(whole)
    target = _target(-1, real, path, "host", mode)
    try:
        inner = os.open("/" + target.directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except _MISSING:
        raise missing from None
    except OSError as error:
        raise StorageError(f'"{path}" on the host: {error.strerror}') from None
    return target.replace(root=inner, directory="", own=True)


def refuse_into_itself(source: Source, target: Target) -> None:
    """Raise UsageError if a directory would be copied into itself: the copy would never end."""
    if not source.is_directory:
        return
    wanted = _identity(source.descriptor)
    here = beneath.open_in_root(beneath.magic_path(target.root), "/" + target.directory, os.O_PATH | os.O_DIRECTORY)
    while _identity(here) != wanted:
        outer = os.open("..", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=here)
        is_top = _identity(outer) == _identity(here)
        os.close(here)
        here = outer
        if is_top:
            os.close(here)
            return
    os.close(here)
    raise UsageError(f'cannot copy a directory, "{source.told}", into itself, "{target.told}"')


def refuse_special(source: Source) -> None:
    """Raise UsageError for a source that is a device or a socket."""
    mode = os.fstat(source.descriptor).st_mode
    if stat.S_ISBLK(mode) or stat.S_ISCHR(mode) or stat.S_ISSOCK(mode):
        what = "socket" if stat.S_ISSOCK(mode) else "device node"
        raise UsageError(f'"{source.told}": a {what} can\'t be copied', hint="Files, directories, links and fifos can")


def _identity(descriptor: int) -> tuple[int, int]:
    status = os.fstat(descriptor)
    return status.st_dev, status.st_ino


def _absolute(view: View, path: str) -> str:
    return path if path.startswith("/") else f"{(view.container.spec.workdir or '/').rstrip('/')}/{path}"


def _not_found(view: View, path: str) -> NotFoundError:
    name = view.container.name
    return NotFoundError(f'"{path}" could not be found on container {name}: no such file or directory')


def _open(path: str, root: str | None, flags: int) -> int:
    """Open a path; with a root, resolve it as after a chroot to that."""
    return os.open(path, flags | os.O_CLOEXEC) if root is None else beneath.open_in_root(root, path, flags)


def _open_for_reading(path: str, root: str | None) -> int:
    """Open a path: for reading if it is a regular file or a directory, else with O_PATH."""
    place = _open(path, root, os.O_PATH)
    mode = os.fstat(place).st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        return place
    try:
        # Through the descriptor: it is the same file, whatever the path leads to now.
        return os.open(beneath.magic_path(place), _READ)
    finally:
        os.close(place)


def _mode(path: str, root: str | None) -> int:
    """Return the mode of a path's file; -1 if there is none."""
    try:
        place = _open(path, root, os.O_PATH)
    except _MISSING:
        return -1
    try:
        return os.fstat(place).st_mode
    finally:
        os.close(place)


def _target(root: int, real: str, path: str, side: str, mode: int) -> Target:
    is_directory = mode < 0 or stat.S_ISDIR(mode)
    if not is_directory and not stat.S_ISREG(mode):
        raise UsageError(f'invalid destination: "{real}" must be a directory or a regular file')
    if not is_directory and path.endswith("/"):
        raise UsageError(f"copying to {side}: {real}: exists but is not a directory")
    whole = mode >= 0 and is_directory
    return Target(
        root=root,
        directory=(real if whole else os.path.dirname(real)).strip("/"),
        base=os.path.basename(real),
        told=path,
        side=side,
        exists=mode >= 0,
        is_directory=is_directory,
    )
