"""Copy a directory tree with everything that belongs to it (src/conmon_c/native/tree_copy.c)."""

from __future__ import annotations

import errno
import os

from podpy.errors import StorageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    Maps = Sequence[tuple[int, int, int]]

_LONGEST_PATH = 4096


def copy_tree(source: str, target: str, uid_maps: Maps = (), gid_maps: Maps = (), *, merge: bool = False) -> None:
    """Copy what is in the directory `source`, and its own owner, mode, attributes and times, into the directory
    `target`.

    The maps, (inside, outside, size), shift owners. With `merge`, overlay's whiteouts in `source` remove what `target`
    has; without, they are copied. Links within `source` are never followed. Raises OSError with the path that failed,
    StorageError for a tree that is too deep.
    """
    from podpy._native import ffi, lib

    uids, gids = (ffi.new("struct podpy_id_map[]", [list(line) for line in maps]) for maps in (uid_maps, gid_maps))
    options = ffi.new("struct podpy_copy_options *", [uids, len(uid_maps), gids, len(gid_maps), merge])
    failed = ffi.new("char[]", _LONGEST_PATH)
    directories = [os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC) for path in (source, target)]
    try:
        if lib.podpy_tree_copy(*directories, options, failed, _LONGEST_PATH) < 0:
            code = ffi.errno
            path = os.path.join(target, os.fsdecode(ffi.string(failed)))
            if code == errno.ENAMETOOLONG:
                raise StorageError(
                    f"directories are nested too deeply to be copied (300, or {_LONGEST_PATH} bytes): {path[:120]}…",
                    hint="With the overlay driver only --userns, --uidmap and a new volume copy something",
                )
            raise OSError(code, os.strerror(code), path)
    finally:
        for directory in directories:
            os.close(directory)
