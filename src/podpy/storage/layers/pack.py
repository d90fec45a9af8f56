"""A directory tree becomes a tar: for export, commit, cp and volumes.

A forked child, locked into the tree, does the work in C (src/conmon_c/native/pack*.c): names in the order of their
bytes, so the same tree gives the same archive; hard links, parts of seconds, attributes and large ids kept (pax);
sockets left out. It writes straight to a descriptor (`write_tar`) or into an unpacker (`pack_into`), or comes in
pieces (`tar_pieces`).
"""

from __future__ import annotations

import errno
import os

from podpy.errors import NoSpaceError, StorageError
from podpy.notice import note, warn
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any

    from podpy.storage.layers.unpack import Unpacker

    Maps = Sequence[tuple[int, int, int]]

_DIFF, _CROSS, _TOP, _SPARSE, _WHITEOUT_NAMES, _USERNS = 1, 2, 4, 8, 16, 32  # pack.h
_PIECE = 1 << 20
_PIPE_SIZE = 1 << 20  # the most that an ordinary user may ask for: fs/pipe-max-size
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class PackOptions(Record):
    """How a tree becomes a tar.

    `name`: what its top is called in the archive; empty: the entries are called as they are in it, and `top` says
    whether the directory itself is among them ("./"). `layer`: it is a container's own layer (whiteouts and opaque
    directories become OCI's; `whiteout_names`: those of fuse-overlayfs, which have these names already). `cross`: what
    is mounted in the tree comes along; else a mounted directory is an empty one. `sparse`: files with holes in GNU's
    format 1.0, which GNU tar, bsdtar, Go and podpy read; else holes are zeros. `excluded`: paths in the tree, left out
    with what is below. Owners outside are written as those inside, by the maps (inside, outside, size).
    """

    name: str = ""
    top: bool = False
    layer: bool = False
    whiteout_names: bool = False
    cross: bool = False
    sparse: bool = False
    excluded: Sequence[str] = ()
    uid_maps: Maps = ()
    gid_maps: Maps = ()


class Packed(Record):
    """What an archive has in it: entries, bytes, sockets that were left out."""

    entries: int
    size: int
    sockets: int


def write_tar(source: int, output: int, options: PackOptions | None = None) -> Packed:
    """Write a tar of what the descriptor `source` stands for (a directory, a regular file opened for reading, anything
    else by O_PATH) to the descriptor `output`.

    Warns of files that became shorter meanwhile. Raises StorageError with the path that failed, NoSpaceError,
    BrokenPipeError if nobody reads any more.
    """
    _widen(output)
    return _Packer(source, output, options or PackOptions()).finish_or_abort()


def pack_into(unpacker: Unpacker, source: int, options: PackOptions) -> None:
    """Give the same tar to an unpacker, which the caller finishes: it goes from child to child, not through here.

    Warns and raises as `write_tar`. If the unpacker reads no more, this ends, and its `finish` tells why.
    """
    try:
        packer = _Packer(source, unpacker, options)
    except OSError as error:
        if error.errno != errno.ENOSYS:
            raise
        for piece in tar_pieces(source, options):  # a kernel before 5.3
            unpacker.feed(piece)
        return
    packer.finish_or_abort()


def tar_pieces(source: int, options: PackOptions | None = None) -> Iterator[bytes]:
    """Yield the same tar in pieces of up to 1 MiB. Raises as `write_tar`, at the latest at the end."""
    reading, writing = os.pipe()
    packer = None
    try:
        try:
            _widen(writing)
            packer = _Packer(source, writing, options or PackOptions())
        finally:
            os.close(writing)
        while piece := os.read(reading, _PIECE):
            yield piece
        packer.finish()
        packer = None
    finally:
        os.close(reading)
        if packer is not None:
            packer.abort()


def _widen(pipe: int) -> None:
    """Let a pipe hold more, if it is one: each side wakes the other less often."""
    import fcntl

    try:
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, _PIPE_SIZE)
    except OSError:
        pass  # no pipe, or the user's pipes have used up what the kernel gives them (pipe(7)): slower, no more


class _Packer:
    """The child at work. It ends at the latest with the thread that has started it."""

    def __init__(self, source: int, output: int | Unpacker, options: PackOptions) -> None:
        from podpy._native import ffi, lib

        self._ffi, self._lib = ffi, lib
        c_options, _kept = self._options(options)
        if isinstance(output, int):
            self._pack = lib.podpy_pack_start(source, output, c_options)
        else:
            self._pack = lib.podpy_pack_into(source, output.handle, c_options)
        if not self._pack:
            raise OSError(ffi.errno, "starting the packer: " + os.strerror(ffi.errno))

    def _options(self, options: PackOptions) -> tuple[Any, list[Any]]:
        """Return the C options, and what must live as long as they do."""
        from podpy.storage.layers.unpack import unpack_flags

        new = self._ffi.new
        name = new("char[]", os.fsencode(options.name))
        paths = [new("char[]", os.fsencode(path)) for path in options.excluded]
        excluded = new("char *[]", paths)
        uids, gids = (
            new("struct podpy_id_map[]", [[*line] for line in maps]) for maps in (options.uid_maps, options.gid_maps)
        )
        fields = {
            "flags": _flags(options) | (_USERNS if unpack_flags() & 1 else 0), "name": name,
            "excluded": self._ffi.cast("const char *const *", excluded), "excluded_count": len(paths),
            "uid_maps": uids, "uid_count": len(options.uid_maps), "gid_maps": gids, "gid_count": len(options.gid_maps),
        }  # fmt: skip
        return new("struct podpy_pack_options *", fields), [name, paths, excluded, uids, gids]

    def finish_or_abort(self) -> Packed:
        """Do `finish`; what interrupts it ends the child."""
        try:
            return self.finish()
        except BaseException:
            self.abort()
            raise

    def finish(self) -> Packed:
        """Wait for the end. Signals' handlers run meanwhile."""
        while self._lib.podpy_pack_wait(self._pack):
            pass
        result = self._ffi.new("struct podpy_pack_result *")
        pack, self._pack = self._pack, None
        self._lib.podpy_pack_finish(pack, result)
        if result.failed and not (result.output_failed and result.code == errno.ECANCELED):
            raise _error(result, self._ffi.string(result.text).decode("utf-8", "backslashreplace"))
        if result.shrunk:
            name = self._ffi.string(result.first_shrunk).decode("utf-8", "backslashreplace")
            more = f", and {result.shrunk - 1} others" if result.shrunk > 1 else ""
            warn(f"{name}{more} became shorter while being read: the archive has zeros for the rest")
        if result.sockets:
            note(f"{result.sockets} sockets were left out: a tar can't have them")
        return Packed(entries=result.entries, size=result.bytes, sockets=result.sockets)

    def abort(self) -> None:
        """Stop at once. Does nothing after `finish`."""
        if self._pack:
            self._lib.podpy_pack_abort(self._pack)
            self._pack = None


def _flags(options: PackOptions) -> int:
    chosen = (
        (options.layer, _DIFF),
        (options.cross, _CROSS),
        (options.top, _TOP),
        (options.sparse, _SPARSE),
        (options.whiteout_names, _WHITEOUT_NAMES),
    )
    return sum(flag for wanted, flag in chosen if wanted)


def _error(result: Any, text: str) -> Exception:
    if result.output_failed and result.code == errno.EPIPE:
        return BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))
    if result.output_failed and result.code in _NO_ROOM:
        return NoSpaceError(text, hint="Free some space on the file system that the archive goes to")
    return StorageError(text)
