"""Times of a build: when its image was made, and what its files' times become (--timestamp, --source-date-epoch)."""

from __future__ import annotations

import os
from time import time_ns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.build.options import BuildOptions

_SECOND = 1_000_000_000


class Clock:
    """The times of one build."""

    def __init__(self, options: BuildOptions) -> None:
        self._created = options.created
        self._rewrite = options.rewrite

    @property
    def rewrites(self) -> bool:
        """Whether files in layers get other times than they had."""
        return bool(self._rewrite) and self._created is not None

    @property
    def stamp(self) -> str:
        """What stands for the clock in keys: steps of another time are others."""
        return "" if self._created is None else f"{self._created} {self._rewrite}"

    @property
    def now(self) -> int:
        """The time that the image tells, nanoseconds since 1970."""
        return time_ns() if self._created is None else self._created * _SECOND

    @property
    def seconds(self) -> int:
        """The time of what podpy itself makes in a layer, seconds since 1970."""
        now = time_ns() // _SECOND
        return self.of_file(now)

    def of_file(self, mtime: int) -> int:
        """Return the time that a file gets in a layer, which had `mtime`; both in seconds since 1970."""
        if self._created is None or not self._rewrite:
            return mtime
        return self._created if self._rewrite == "all" else min(mtime, self._created)

    def rewrite(self, directory: str) -> None:
        """Change the times of everything in a tree of podpy's own. Raises OSError."""
        for path, names, files in os.walk(directory, topdown=False):
            for name in (*files, *names):
                self._change(os.path.join(path, name))
        self._change(directory)

    def _change(self, path: str) -> None:
        status = os.lstat(path)
        wanted = self.of_file(int(status.st_mtime)) * _SECOND
        if self._rewrite == "all" or wanted < status.st_mtime_ns:
            os.utime(path, ns=(status.st_atime_ns, wanted), follow_symlinks=False)
