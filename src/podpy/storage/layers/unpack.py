"""A tar, pushed in pieces, becomes a directory tree: a layer with whiteouts in overlay form, or plain files.

A forked child, locked into the target directory, does the work in C (src/conmon_c/native/unpack*.c);
`feed` only copies into shared memory, with the GIL released.
"""

from __future__ import annotations

import os
import select

from podpy import files
from podpy.errors import BrokenTarError, NoSpaceError, NotSupportedError, StorageError
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    Maps = Sequence[tuple[int, int, int]]

# A stop for bombs, not a policy: far above any real layer, far below hours of unpacking.
MAX_BYTES = 1 << 40
MAX_ENTRIES = 4_000_000
_ALL_IDS = 0xFFFFFFFF
_PLAIN, _OVERWRITE, _MARK, _FILE = 8, 16, 32, 64  # unpack.h: PODPY_UNPACK_PLAIN and so on
_ENOSPC, _EDQUOT = 28, 122
# Bytes behind an archive's end that are read, so that who writes them (GNU tar fills its record) gets no SIGPIPE.
_TRAILING = 1 << 20


class Plain(Record):
    """How an archive that is no layer becomes files in a directory that somebody else may change, too.

    Whiteouts are names like others. Device nodes are left out (`skipped_devices`), overlay's attributes, too. A file
    that is there is replaced at once, by a rename. `prefix` stands before each name: a directory below the target;
    links within the target resolve as after a chroot to it. `owner` (uid, gid) gets everything; None: as the archive
    says, whose ids `inside` become those outside by the maps (inside, outside, size). `overwrite`: a file may take a
    directory's place, and the other way round. `mark`: `implied` directories are marked by their time, as in a layer.
    """

    prefix: str = ""
    owner: tuple[int, int] | None = None
    uid_maps: Maps = ()
    gid_maps: Maps = ()
    overwrite: bool = False
    mark: bool = False


class Unpacker:
    """Unpacks one archive into the empty directory `target` (a path or a descriptor). For one thread; several run side
    by side. With `plain` it is no layer, and the directory needn't be empty.

    `complete`: the archive's own end has come; what follows is ignored. `handle`: for the packer (pack.py).

    After `finish`: `size` (bytes of all files), `entries`, `root_seen` (the archive says whose the root directory is),
    `skipped_devices` (a user namespace can't make them), `skipped_xattrs`, `implied` (directories that no entry says
    anything about: see storage/layers/inherit.py), `replaced` (something that the archive had
    brought was removed again, so its recipe isn't enough: storage/layers/recipe.py).
    """

    def __init__(
        self,
        target: str | int,
        *,
        recipe: int = -1,
        max_bytes: int = MAX_BYTES,
        max_entries: int = MAX_ENTRIES,
        plain: Plain | None = None,
        file: int = -1,
    ) -> None:
        """Start the child; it writes the layer's recipe to the descriptor `recipe`, if there is one.

        `file`: it reads the archive itself, from this regular file's position on: see `unpack_file`.

        Raises OSError, and NotSupportedError if podpy was built without its C part.
        """
        native = _native()
        self._lib, self._ffi = native.lib, native.ffi
        self._result = self._ffi.new("struct podpy_unpack_result *")
        self.skipped_devices = self.skipped_xattrs = self.size = self.entries = 0
        self.implied = 0
        self.root_seen = self.replaced = self.complete = False
        self._plain = plain
        options, _kept = self._options(max_bytes, max_entries, plain or Plain())
        flags = unpack_flags() | (_plain_flags(plain) if plain else 0) | (_FILE if file >= 0 else 0)
        own = isinstance(target, str)
        directory = os.open(target, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC) if isinstance(target, str) else target
        try:
            self.handle = self._lib.podpy_unpack_start(directory, max(recipe, file), flags, options)
            if not self.handle:
                code = self._ffi.errno
                raise OSError(code, "starting the unpacker: " + os.strerror(code), str(target))
        finally:
            if own:
                os.close(directory)

    def _options(self, max_bytes: int, max_entries: int, plain: Plain) -> tuple[Any, list[Any]]:
        """Return the C options, and what must live as long as they do."""
        new = self._ffi.new
        prefix = new("char[]", os.fsencode(plain.prefix))
        uids, gids = (
            new("struct podpy_id_map[]", [[*line] for line in maps]) for maps in (plain.uid_maps, plain.gid_maps)
        )
        uid, gid = plain.owner or (-1, -1)
        fields = {
            "bytes": max_bytes, "entries": max_entries, "prefix": prefix, "uid": uid, "gid": gid,
            "uid_maps": uids, "uid_count": len(plain.uid_maps), "gid_maps": gids, "gid_count": len(plain.gid_maps),
        }  # fmt: skip
        return new("struct podpy_unpack_options *", fields), [prefix, uids, gids]

    def feed(self, data: bytes | memoryview) -> None:
        """Unpack the next piece. Raises StorageError, perhaps for what an earlier piece held; then all is over."""
        done = self._lib.podpy_unpack_feed(self.handle, self._ffi.from_buffer(data), len(data))
        self.complete = done > 0
        if done < 0:
            self.finish()

    def wait(self) -> None:
        """Wait until the child has ended; a signal's handler may raise meanwhile. For one that reads a file."""
        descriptor = self._lib.podpy_unpack_open(self.handle)
        if descriptor < 0:  # Linux before 5.3: `finish` waits
            return
        try:
            poll = select.poll()
            poll.register(descriptor, select.POLLIN)
            poll.poll()
        finally:
            os.close(descriptor)

    def finish(self) -> None:
        """Unpack the rest; check that the archive is whole. Raises StorageError."""
        result, unpack = self._result, self.handle
        self.handle = None
        if not unpack:
            raise StorageError("the layer was given up before")
        self._lib.podpy_unpack_finish(unpack, result)
        self.size, self.entries, self.root_seen = result.bytes, result.entries, bool(result.root_seen)
        self.skipped_devices, self.skipped_xattrs = result.skipped_devices, result.skipped_xattrs
        self.implied, self.replaced = result.implied, bool(result.replaced)
        if result.failed or result.id_missing:
            text = self._ffi.string(result.text).decode("utf-8", "backslashreplace")
            raise _plain_error(result, text) if self._plain else _error(result, text)

    def abort(self) -> None:
        """Stop at once. Does nothing after `finish`."""
        if self.handle:
            self._lib.podpy_unpack_abort(self.handle, self._result)
            self.handle = None


def _plain_flags(plain: Plain) -> int:
    return _PLAIN | (_OVERWRITE if plain.overwrite else 0) | (_MARK if plain.mark else 0)


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


def _plain_error(result: Any, text: str) -> StorageError:
    if result.id_missing:
        return StorageError(
            f"the archive has files of uid {result.max_uid} and gid {result.max_gid}: more than your user namespace "
            "maps",
            hint="Give yourself more subordinate ids in /etc/subuid and /etc/subgid, then podpy system migrate",
        )
    if not result.code:
        return BrokenTarError(text)
    return NoSpaceError(text) if result.code in (_ENOSPC, _EDQUOT) else StorageError(text)


def unpack_plain(target: str | int, pieces: Iterable[bytes | memoryview], plain: Plain) -> Unpacker:
    """Unpack an archive that is no layer; return the unpacker, for its counts. Raises BrokenTarError, StorageError.

    What one piece's making raises ends it, and nothing that was begun stays half written. The pieces may be endless if
    the archive in them isn't (/dev/zero).
    """
    unpacker = Unpacker(target, plain=plain)
    trailing = 0
    try:
        for piece in pieces:
            unpacker.feed(piece)
            trailing += len(piece) if unpacker.complete else 0
            if trailing > _TRAILING:
                break
        unpacker.finish()
    except BaseException:
        unpacker.abort()
        raise
    return unpacker


def unpack_file(target: str | int, source: int, plain: Plain) -> Unpacker:
    """Unpack as `unpack_plain` an archive that isn't compressed, from a regular file's position on.

    The child reads it, and the kernel copies large contents from file to file: half of the CPU time.
    """
    unpacker = Unpacker(target, plain=plain, file=source)
    try:
        unpacker.wait()
        unpacker.finish()
    except BaseException:
        unpacker.abort()
        raise
    return unpacker


def _native() -> Any:
    try:
        from podpy import _native as native
    except ImportError as error:
        raise NotSupportedError(
            f"podpy's C part can't be loaded: {error}", hint="Install podpy again, with a C compiler"
        ) from error
    return native
