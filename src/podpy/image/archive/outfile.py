"""New files in a user's directory: complete and on the disk, or not there.

The bytes go into a file without a name (O_TMPFILE), which gets its name after it is synced. So a kill or a power cut
leaves nothing behind, and an old file of that name stays until it is replaced.
A file that isn't `synced` (an export: what it copies is still there) gets a new name at once, as from tar(1): a power
cut within half a minute may truncate it. If it replaces another file, it is synced all the same.

Only a rename can replace a file, so it needs a temporary name, `.podpy-new-…`, for a moment, and without O_TMPFILE for
the whole time. Its writer holds a lock on it. If the lock is free, the writer was killed, and the next call that
writes into the same directory removes the file.
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat

from podpy import files
from podpy.errors import ImageError
from podpy.image.options import STDOUT
from podpy.storage import crash_point
from podpy.storage.layers.writeback import Writeback

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType


_ASIDE = ".podpy-new-"


class NewFile:
    """A file that appears under `path` when the `with` block ends without an error.

    A pipe, a terminal or /dev/stdout is written to directly. An existing file is replaced.
    """

    def __init__(self, path: str, *, synced: bool = True) -> None:
        """Raises ImageError if the file can't be created."""
        self.path = path
        self._synced = synced
        self._target = os.path.realpath(path)
        self._directory = os.path.dirname(self._target)
        self._aside = ""  # its name until it is complete; empty: it has none
        self._special = False
        self._descriptor = self._open()
        self._writeback = Writeback(lambda: os.fdatasync(self._descriptor))

    def __enter__(self) -> NewFile:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        try:
            if kind is not None:
                self._stop_writing()
                return
            self._finish_writing()
            if not self._special:
                self._name()
        finally:
            os.close(self._descriptor)
            if self._aside:
                os.unlink(self._aside)

    @property
    def descriptor(self) -> int:
        """The descriptor, for callers that don't use `write`."""
        return self._descriptor

    def write(self, data: bytes) -> None:
        """Append all of `data`. Raises ImageError (a full disk), BrokenPipeError."""
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(self._descriptor, view) :]
        except BrokenPipeError:
            raise
        except OSError as error:
            raise self._failure(error) from None
        if not self._special:
            self._writeback.wrote(len(data))

    def _finish_writing(self) -> None:
        try:
            self._writeback.stop()
        except OSError as error:
            raise self._failure(error) from None

    def _stop_writing(self) -> None:
        """Stop after an error: the error that came first is raised, not a later one from syncing."""
        try:
            self._writeback.stop()
        except OSError:
            pass

    def _failure(self, error: OSError) -> ImageError:
        return ImageError(f'writing file "{self.path}": {error.strerror}')

    def _open(self) -> int:
        if self.path == STDOUT:
            self._special = True
            return os.dup(1)
        try:
            self._special = _is_special(self.path)
            if self._special:
                return os.open(self.path, os.O_WRONLY | os.O_CLOEXEC)
            _remove_left_behind(self._directory)
            try:
                return os.open(self._directory, os.O_TMPFILE | os.O_WRONLY | os.O_CLOEXEC, 0o666)
            except OSError as error:
                if error.errno not in (errno.EOPNOTSUPP, errno.EISDIR):  # a file system, a kernel without O_TMPFILE
                    raise
            return self._open_aside()
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise ImageError(f'opening file "{self.path}": open {self.path}: {reason}') from None

    def _open_aside(self) -> int:
        while True:
            aside = self._aside_name()
            descriptor = os.open(aside, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o666)
            _lock(descriptor)
            if os.path.exists(aside):  # no other call removed it before it was locked
                self._aside = aside
                return descriptor
            os.close(descriptor)

    def _aside_name(self) -> str:
        return os.path.join(self._directory, _ASIDE + os.urandom(8).hex())

    def _name(self) -> None:
        try:
            if not self._synced and not self._aside and self._link(self._target):
                return
            os.fsync(self._descriptor)
            if self._aside or not self._link(self._target):
                self._replace()
            _sync(self._directory)
        except OSError as error:
            raise self._failure(error) from None

    def _replace(self) -> None:
        if not self._aside:
            _lock(self._descriptor)
            aside = self._aside_name()
            self._link(aside)
            self._aside = aside
            crash_point("save:linked")
        os.rename(self._aside, self._target)
        self._aside = ""

    def _link(self, path: str) -> bool:
        """Give the nameless file a name; False if there is a file of that name."""
        directory = os.open(self._directory, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            # dst_dir_fd makes Python call linkat(2), which alone can follow the link in /proc (open(2), O_TMPFILE).
            source = f"/proc/self/fd/{self._descriptor}"
            os.link(source, os.path.basename(path), dst_dir_fd=directory, follow_symlinks=True)
        except FileExistsError:
            return False
        finally:
            os.close(directory)
        return True


def _sync(directory: str) -> None:
    try:
        files.fsync_directory(directory)
    except PermissionError:  # a directory that may be written to, but not read
        pass


def _lock(descriptor: int) -> bool:
    """Take a file's lock, without waiting."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # another call has it, or the file system has no locks: then no file is removed either
        return False
    return True


def _remove_left_behind(directory: str) -> None:
    try:
        names = [name for name in os.listdir(directory) if name.startswith(_ASIDE)]
    except OSError:
        return
    for name in names:
        path = os.path.join(directory, name)
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            try:
                if _lock(descriptor):
                    os.unlink(path)
            finally:
                os.close(descriptor)
        except OSError:  # gone meanwhile, or another user's
            continue


def _is_special(path: str) -> bool:
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        return False
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
    return not stat.S_ISREG(mode)


def write_file(path: str, data: bytes) -> None:
    """Write a whole new file, or replace one. Raises ImageError."""
    with NewFile(path) as file:
        file.write(data)
