"""Where a store's volumes are: in the graph root, or in another directory (`--volumepath`).

    graphroot/volumes/            usually
    graphroot/volumes → DIR       from the first call on that names another directory, as Podman's database keeps it
    DIR/NAME/_data                the files
    DIR/.podpy/tmp/               the staging area of volumes there: renames work within one file system only

The directory itself is the user's, perhaps another file system: only volumes in it are podpy's.
"""

from __future__ import annotations

import os

from podpy.errors import StorageError, UsageError
from podpy.storage import staging

_OWN = ".podpy"


def directory(graphroot: str) -> str:
    """Return the directory of the volumes, whether it is there or not."""
    usual = _usual(graphroot)
    try:
        return os.readlink(usual)
    except OSError:  # no link
        return usual


def settle(graphroot: str, wanted: str) -> None:
    """Let the volumes be in the directory `wanted` (absolute), which is made. Raises UsageError if the store has its
    volumes elsewhere, StorageError.
    """
    usual, wanted = _usual(graphroot), os.path.realpath(wanted)
    try:
        if wanted != os.path.realpath(usual):
            _link(usual, wanted)
    except OSError as error:
        raise StorageError(f"--volumepath: {wanted}: {error.strerror}") from None
    now = directory(graphroot)
    if wanted != os.path.realpath(now):
        raise UsageError(
            f'database volume path "{now}" does not match our volume path "{wanted}": database configuration mismatch',
            hint="A store keeps the place of its first volume; another store: --root",
        )


def _link(usual: str, wanted: str) -> None:
    """Make the link, unless there are volumes already, or a link."""
    os.makedirs(wanted, mode=0o700, exist_ok=True)
    if os.path.isdir(usual) and not os.path.islink(usual) and not os.listdir(usual):
        os.rmdir(usual)
    try:
        os.symlink(wanted, usual)
    except FileExistsError:
        pass


def require(graphroot: str) -> None:
    """Raise StorageError if the volumes are in another directory, and that isn't there."""
    place = directory(graphroot)
    if place != _usual(graphroot) and not os.path.isdir(place):
        raise StorageError(f"the directory of the volumes is missing: {place}", hint="Is its disk mounted?")


def new_staging(graphroot: str) -> staging.Staging:
    """Return a staging directory on the file system of the volumes, not yet made. Raises as `require`."""
    require(graphroot)
    place = directory(graphroot)
    usual = place == _usual(graphroot)
    return staging.Staging(graphroot if usual else os.path.join(place, _OWN), reserve=usual)


def sweep(graphroot: str) -> list[str]:
    """Remove the staging directories that killed calls have left in another directory, and return their paths."""
    from podpy.storage.layers import filesystem

    place = directory(graphroot)
    own = os.path.join(place, _OWN)
    if place == _usual(graphroot) or not os.path.isdir(own):
        return []
    killed = staging.of_killed_calls(own)
    paths = [os.path.join(own, "tmp", name) for name in killed]
    try:
        for path in paths:
            filesystem.remove_tree(path)
    finally:
        for lock in killed.values():
            os.close(lock)
    return paths


def forget(graphroot: str) -> None:
    """Remove what podpy made in another directory, for a store that goes, with its volumes."""
    place, usual = directory(graphroot), _usual(graphroot)
    if place == usual:
        return
    for path in (os.path.join(place, _OWN, "tmp"), os.path.join(place, _OWN), place):
        try:
            os.rmdir(path)
        except OSError:
            pass  # it isn't there, or holds foreign files
    os.unlink(usual)


def _usual(graphroot: str) -> str:
    return os.path.join(graphroot, "volumes")
