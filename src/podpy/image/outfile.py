"""New files in a user's directory: complete, or not there.

The bytes go into a file without a name (O_TMPFILE), which gets its name at the end: a call that is killed leaves
nothing, and an archive of that name that was there stays until it is replaced.
"""

from __future__ import annotations

import errno
import os
import stat

from podpy.errors import ImageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType


# Opened by this name, a pipe that belongs to another user (sudo -u) is refused; the descriptor isn't.
STDOUT = "/dev/stdout"


class NewFile:
    """A file that appears under `path` when the `with` block ends without an error.

    What isn't a plain file (a pipe, a terminal, /dev/stdout) is written to directly. A file that is there is replaced.
    """

    def __init__(self, path: str) -> None:
        """Raises ImageError if it can't be made."""
        self.path = path
        self._aside = ""  # its name until it is complete; empty: it has none
        self._special = False
        self._descriptor = self._open()

    def __enter__(self) -> NewFile:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        try:
            if kind is None and not self._special:
                self._name()
        finally:
            os.close(self._descriptor)
            if self._aside:
                os.unlink(self._aside)

    def write(self, data: bytes) -> None:
        """Append all of `data`. Raises ImageError (a full disk), BrokenPipeError."""
        view = memoryview(data)
        try:
            while view:
                view = view[os.write(self._descriptor, view) :]
        except BrokenPipeError:
            raise
        except OSError as error:
            raise ImageError(f'writing file "{self.path}": {error.strerror}') from None

    def _open(self) -> int:
        target = os.path.realpath(self.path)
        if self.path == STDOUT:
            self._special = True
            return os.dup(1)
        try:
            self._special = _is_special(self.path)
            if self._special:
                return os.open(self.path, os.O_WRONLY | os.O_CLOEXEC)
            try:
                return os.open(os.path.dirname(target), os.O_TMPFILE | os.O_WRONLY | os.O_CLOEXEC, 0o666)
            except OSError as error:
                if error.errno not in (errno.EOPNOTSUPP, errno.EISDIR):  # a file system, a kernel without O_TMPFILE
                    raise
            self._aside = f"{target}.{os.urandom(4).hex()}"
            return os.open(self._aside, os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC, 0o666)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise ImageError(f'opening file "{self.path}": open {self.path}: {reason}') from None

    def _name(self) -> None:
        target = os.path.realpath(self.path)
        try:
            if not self._aside:
                # A link can't replace a file, so there is a name between.
                aside = f"{target}.{os.urandom(4).hex()}"
                _link(self._descriptor, aside)
                self._aside = aside
            os.rename(self._aside, target)
            self._aside = ""
        except OSError as error:
            raise ImageError(f'writing file "{self.path}": {error.strerror}') from None


def _link(descriptor: int, path: str) -> None:
    directory = os.open(os.path.dirname(path), os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        # dst_dir_fd makes Python call linkat(2), which alone can follow the link in /proc (open(2), O_TMPFILE).
        source = f"/proc/self/fd/{descriptor}"
        os.link(source, os.path.basename(path), dst_dir_fd=directory, follow_symlinks=True)
    finally:
        os.close(directory)


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
