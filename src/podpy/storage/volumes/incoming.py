"""`podpy volume import`: an archive's files come into a volume, all of them or none.

    graphroot/tmp/PID-RANDOM/import-N     unpacked
    graphroot/volumes/NAME/import…        complete: from here on they are the volume's

What is complete is moved into `_data` by renames. A kill before that leaves the volume as it was; after it, whoever
uses the volume next goes on (`finish`). It is `import-root` if the archive says whose the volume's own directory is.
Directories that no entry of the archive speaks of stay as they are in the volume.

What comes is synced before it takes the place of something: a power cut never costs the old and the new file. What
only comes in addition isn't waited for, as with cp(1) and tar(1): its archive is still there.

A volume that is mounted (a directory of the host, a tmpfs) is another file system: its staging area is a hidden
directory in itself, which only a kill leaves behind.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat

from podpy.errors import StorageError
from podpy.storage.layers import filesystem
from podpy.storage.layers.inherit import IMPLIED
from podpy.storage.layers.unpack import Plain, unpack_file, unpack_plain
from podpy.storage.layers.writeback import Writeback
from podpy.storage.volumes import place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import TypeAlias

    from podpy.storage.layers.unpack import Unpacker
    from podpy.storage.volumes.volume import Volume

    Archive: TypeAlias = Iterable[bytes] | int

_COMPLETE, _WITH_ROOT = "import", "import-root"
_CHUNK = 256 << 10
_IMPLIED_MODE = 0o7000
_HIDDEN = ".podpy-import-"
# A file takes a directory's place, or the other way round (rename(2)).
_OTHER_KIND = (errno.EISDIR, errno.ENOTDIR, errno.EEXIST, errno.ENOTEMPTY)
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


def receive(volume: Volume, graphroot: str, archive: Archive) -> None:
    """Unpack a tar into a volume. Files that are there are replaced, others stay.

    `archive`: its pieces, or the descriptor of a regular file with it, which is read from its position on.
    This process must be in the user's namespaces. Raises BrokenTarError, StorageError, NoSpaceError, and what making
    the pieces raises: then nothing has changed.
    """
    if volume.needs_mount:
        _receive_mounted(volume.mountpoint, archive)
        return
    home = os.path.dirname(volume.mountpoint)
    finish(home)
    staging = place.new_staging(graphroot)
    try:
        aside = staging.new_path("import")
        os.mkdir(aside, 0o755)
        unpacker = _unpack_beside(aside, archive, volume.mountpoint)
        with _Locked(home):
            _finish_locked(home)  # another import may have been killed since
            _refuse_mounted(aside, volume.mountpoint)
            if _have_names_in_common(aside, volume.mountpoint):
                filesystem.sync_filesystem(aside)
            os.rename(aside, os.path.join(home, _WITH_ROOT if unpacker.root_seen else _COMPLETE))
            from podpy.storage import crash_point

            crash_point("volume:imported")
            _finish_locked(home)
    finally:
        staging.close()


def finish(home: str) -> None:
    """Finish an import into the volume with the directory `home` (above `_data`) that was killed after its commit."""
    if any(os.path.lexists(os.path.join(home, name)) for name in (_COMPLETE, _WITH_ROOT)):
        with _Locked(home):
            _finish_locked(home)


def _finish_locked(home: str) -> None:
    for name in (_COMPLETE, _WITH_ROOT):
        path = os.path.join(home, name)
        try:
            source = os.open(path, _DIRECTORY)
        except FileNotFoundError:
            continue
        target = os.open(os.path.join(home, "_data"), _DIRECTORY)
        try:
            _move(source, target, whole=name == _WITH_ROOT)
        finally:
            os.close(source)
            os.close(target)
        os.rmdir(path)


def _receive_mounted(mountpoint: str, archive: Archive) -> None:
    target = os.open(mountpoint, _DIRECTORY)
    name = _HIDDEN + os.urandom(8).hex()
    try:
        os.mkdir(name, 0o700, dir_fd=target)
        try:
            source = os.open(name, _DIRECTORY, dir_fd=target)
            try:
                unpacker = _unpack(source, archive)
                _refuse_mounted(os.path.join(mountpoint, name), mountpoint)
                if _have_names_in_common(source, target):
                    filesystem.sync_descriptor(source)
                _move(source, target, whole=unpacker.root_seen)
            finally:
                os.close(source)
        finally:
            filesystem.remove_at(target, name)
    finally:
        os.close(target)


def _refuse_mounted(source: str, target: str) -> None:
    """Raise StorageError if what came would replace, or go into, something that is mounted in the volume: that takes
    no renames.
    """
    from podpy.rootless.mounts import mount_points

    top = os.path.realpath(target)
    for point in mount_points():
        if point.startswith(f"{top}/") and os.path.lexists(source + point.removeprefix(top)):
            raise StorageError(
                f"{point.removeprefix(top + '/')}: something is mounted there, in the volume",
                hint=f"Unmount it (podpy unshare umount {point}), then import again",
            )


def _unpack(target: str | int, archive: Archive) -> Unpacker:
    plain = Plain(overwrite=True, mark=True)
    unpacker = unpack_file(target, archive, plain) if isinstance(archive, int) else unpack_plain(target, archive, plain)
    if unpacker.implied:
        top = os.open(target, _DIRECTORY) if isinstance(target, str) else os.dup(target)
        try:
            _mark_implied(top)
        finally:
            os.close(top)
    if unpacker.skipped_devices:
        from podpy.notice import note

        note(f"{unpacker.skipped_devices} device nodes were left out: a user namespace can't make them")
    return unpacker


def _unpack_beside(aside: str, archive: Archive, target: str) -> Unpacker:
    """Unpack what will be moved into `target`; if that isn't empty a sync may follow, so begin to write to the disk."""
    if not os.listdir(target):
        return _unpack(aside, archive)
    pieces = iter(lambda: os.read(archive, _CHUNK), b"") if isinstance(archive, int) else archive
    writeback = Writeback(lambda: filesystem.sync_filesystem(aside))
    try:
        return _unpack(aside, _counted(pieces, writeback))
    finally:
        writeback.stop()


def _have_names_in_common(source: str | int, target: str | int) -> bool:
    """Return whether something in one directory may take the place of something in the other one."""
    return not frozenset(os.listdir(source)).isdisjoint(os.listdir(target))


def _counted(pieces: Iterable[bytes], writeback: Writeback) -> Iterator[bytes]:
    for piece in pieces:
        yield piece
        writeback.wrote(len(piece))


class _Locked:
    """The lock of a volume's directory: who moves files into it."""

    def __init__(self, home: str) -> None:
        self._descriptor = os.open(home, _DIRECTORY)

    def __enter__(self) -> None:
        fcntl.flock(self._descriptor, fcntl.LOCK_EX)

    def __exit__(self, *_error: object) -> None:
        os.close(self._descriptor)


def _move(source: int, target: int, *, whole: bool) -> None:
    """Move what is in one directory into another one, by renames; `whole`: what the directory itself is, too.

    A container may change the target at the same time, so everything is done by descriptors, and no link is followed.
    """
    entered = [_Step(os.dup(source), os.dup(target), "")]
    try:
        while entered:
            step = entered[-1]
            name = next(step.names, None)
            if name is None:
                is_described = whole if len(entered) == 1 else not _is_implied(step.status)
                if is_described:
                    _describe(step.source, step.target, step.status)
                step.close()
                entered.pop()
                if entered:
                    os.rmdir(step.name, dir_fd=entered[-1].source)
            elif (inner := _both(step.source, step.target, name)) is not None:
                entered.append(inner)
            else:
                _place(step.source, step.target, name)
    finally:
        for step in entered:
            step.close()


class _Step:
    """A directory that is in both trees. `status` is that of the source before anything was moved out of it."""

    def __init__(self, source: int, target: int, name: str) -> None:
        self.source = source
        self.target = target
        self.name = name
        self.status = os.fstat(source)
        self.names = iter(os.listdir(source))

    def close(self) -> None:
        """Close its descriptors."""
        os.close(self.source)
        os.close(self.target)


def _both(here: int, there: int, name: str) -> _Step | None:
    """Return an entry that is a directory in both, or None."""
    try:
        ours = os.open(name, _DIRECTORY, dir_fd=here)
    except OSError:
        return None
    try:
        return _Step(ours, os.open(name, _DIRECTORY, dir_fd=there), name)
    except OSError:
        os.close(ours)
        return None


def _place(here: int, there: int, name: str) -> None:
    if _is_implied(os.stat(name, dir_fd=here, follow_symlinks=False)):
        _settle_implied(here, name)
    try:
        os.rename(name, name, src_dir_fd=here, dst_dir_fd=there)
    except OSError as error:
        if error.errno not in _OTHER_KIND:
            raise StorageError(f"{name}: {error.strerror}", hint="Is something mounted there?") from error
        filesystem.remove_at(there, name)
        os.rename(name, name, src_dir_fd=here, dst_dir_fd=there)


def _mark_implied(top: int) -> None:
    """Give directories that no entry of the archive spoke of a mode that no other one has: their time, by which the
    unpacker tells them, changes with what is moved out of them.
    """
    for directory in _directories(top, "."):
        if os.fstat(directory).st_mtime_ns == IMPLIED:
            os.fchmod(directory, _IMPLIED_MODE)


def _settle_implied(parent: int, name: str) -> None:
    for directory in _directories(parent, name):
        if _is_implied(os.fstat(directory)):
            os.fchmod(directory, 0o755)
            os.utime(directory)


def _directories(parent: int, top: str) -> Iterator[int]:
    """Yield a descriptor of each directory of a tree, but for those with more than PATH_MAX bytes of a path."""
    waiting = [top]
    while waiting:
        path = waiting.pop()
        try:
            directory = os.open(path, _DIRECTORY, dir_fd=parent)
        except OSError as error:
            if error.errno != errno.ENAMETOOLONG:
                raise
            continue
        try:
            with os.scandir(directory) as entries:
                waiting += [os.path.join(path, entry.name) for entry in entries if entry.is_dir(follow_symlinks=False)]
            yield directory
        finally:
            os.close(directory)


def _is_implied(status: os.stat_result) -> bool:
    return stat.S_ISDIR(status.st_mode) and stat.S_IMODE(status.st_mode) == _IMPLIED_MODE


def _describe(source: int, target: int, status: os.stat_result) -> None:
    """Give a directory the owner, mode, attributes and times of another one, which had this status."""
    os.fchown(target, status.st_uid, status.st_gid)
    os.fchmod(target, stat.S_IMODE(status.st_mode))
    for name in os.listxattr(source):
        os.setxattr(target, name, os.getxattr(source, name))
    os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))
