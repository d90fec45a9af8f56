"""A tar, pushed in pieces, becomes a directory tree with whiteouts in overlay form.

A forked child, locked into the target directory, does the work in C (src/conmon_c/native/unpack*.c);
`feed` only copies into shared memory, with the GIL released.
"""

from __future__ import annotations

import os

from podpy import files
from podpy.errors import BrokenTarError, NotSupportedError, StorageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# A stop for bombs, not a policy: far above any real layer, far below hours of unpacking.
MAX_BYTES = 1 << 40
MAX_ENTRIES = 4_000_000
_ALL_IDS = 0xFFFFFFFF


class Unpacker:
    """Unpacks one archive into the empty directory `target`. For one thread; several run side by side.

    After `finish`: `size` (bytes of all files), `entries`, `root_seen` (the archive says whose the root directory is),
    `skipped_devices` (a user namespace can't make them), `skipped_xattrs`, `implied` (directories that no entry says
    anything about: see storage/layers/inherit.py), `replaced` (something that the archive had
    brought was removed again, so its recipe isn't enough: storage/layers/recipe.py).
    """

    def __init__(
        self, target: str, *, recipe: int = -1, max_bytes: int = MAX_BYTES, max_entries: int = MAX_ENTRIES
    ) -> None:
        """Start the child; it writes the layer's recipe to the descriptor `recipe`, if there is one.

        Raises OSError, and NotSupportedError if podpy was built without its C part.
        """
        native = _native()
        self._lib, self._ffi = native.lib, native.ffi
        self._result = self._ffi.new("struct podpy_unpack_result *")
        self.skipped_devices = self.skipped_xattrs = self.size = self.entries = 0
        self.implied = 0
        self.root_seen = self.replaced = False
        limits = self._ffi.new("struct podpy_unpack_limits *", {"bytes": max_bytes, "entries": max_entries})
        directory = os.open(target, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            self._unpack = self._lib.podpy_unpack_start(directory, recipe, unpack_flags(), limits)
            if not self._unpack:
                raise OSError(self._ffi.errno, "starting the unpacker: " + os.strerror(self._ffi.errno), target)
        finally:
            os.close(directory)

    def feed(self, data: bytes | memoryview) -> None:
        """Unpack the next piece. Raises StorageError, perhaps for what an earlier piece held; then all is over."""
        if self._lib.podpy_unpack_feed(self._unpack, self._ffi.from_buffer(data), len(data)) < 0:
            self.finish()

    def finish(self) -> None:
        """Unpack the rest; check that the archive is whole. Raises StorageError."""
        result, unpack = self._result, self._unpack
        self._unpack = None
        if not unpack:
            raise StorageError("the layer was given up before")
        self._lib.podpy_unpack_finish(unpack, result)
        self.size, self.entries, self.root_seen = result.bytes, result.entries, bool(result.root_seen)
        self.skipped_devices, self.skipped_xattrs = result.skipped_devices, result.skipped_xattrs
        self.implied, self.replaced = result.implied, bool(result.replaced)
        if result.failed or result.id_missing:
            text = self._ffi.string(result.text).decode("utf-8", "backslashreplace")
            raise _error(result, text)

    def abort(self) -> None:
        """Stop at once. Does nothing after `finish`."""
        if self._unpack:
            self._lib.podpy_unpack_abort(self._unpack, self._result)
            self._unpack = None


def unpack_flags() -> int:
    """Return what the unpacker must know of this process's user namespace (PODPY_UNPACK_* in unpack.h)."""
    maps = [[int(field) for field in line.split()] for line in files.read("/proc/self/uid_map").splitlines()]
    if maps == [[0, 0, _ALL_IDS]]:
        return 0 if os.geteuid() == 0 else 1 | 2
    return 1 | (2 if sum(size for _, _, size in maps) <= 1 else 0)


def _error(result: Any, text: str) -> StorageError:
    if result.id_missing:
        largest = max(result.max_uid, result.max_gid)
        return StorageError(
            f"the layer has files of uid {result.max_uid} and gid {result.max_gid}: more than your user namespace maps",
            hint=f"Give yourself {largest} subordinate ids in /etc/subuid and /etc/subgid (sudo usermod --add-subuids "
            f"FIRST-LAST --add-subgids FIRST-LAST $USER), then podpy system migrate",
        )
    if not result.code:
        return BrokenTarError(f"unpacking the layer: {text}")
    hint = {28: "Free some space on that file system", 122: "Your disk quota is used up"}.get(result.code, "")
    return StorageError(f"unpacking the layer: {text}", hint=hint)


def _native() -> Any:
    try:
        from podpy import _native as native
    except ImportError as error:
        raise NotSupportedError(
            f"podpy's C part can't be loaded: {error}", hint="Install podpy again, with a C compiler"
        ) from error
    return native
