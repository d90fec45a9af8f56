"""A tar, pushed in pieces, becomes a directory tree with whiteouts in overlay form."""

from __future__ import annotations

import os
import stat

from podpy.errors import StorageError


class Unpacker:
    """Unpacks into the empty directory `target`."""

    def __init__(self, target: str) -> None:
        import tempfile

        self.target = target
        self.size = 0
        self.entries = 0
        self._spool = tempfile.TemporaryFile()

    def feed(self, data: bytes | memoryview) -> None:
        """Unpack the next piece. Raises StorageError."""
        self._spool.write(data)

    def finish(self) -> None:
        """Unpack the rest; check that the tar is whole. Raises StorageError."""
        import tarfile

        self._spool.seek(0)
        with tarfile.open(fileobj=self._spool) as archive:
            for member in archive:
                self._place(archive, member)
        self._spool.close()

    def abort(self) -> None:
        """Stop."""
        self._spool.close()

    def _place(self, archive: object, member: object) -> None:
        name = member.name.strip("/")
        if ".." in name.split("/"):
            raise StorageError(f"{name}: the layer reaches outside itself")
        self.entries += 1
        self.size += member.size
        path = os.path.join(self.target, name)
        base = os.path.basename(name)
        if base == ".wh..wh..opq":
            os.setxattr(os.path.dirname(path), "user.overlay.opaque", b"y")
        elif base.startswith(".wh..wh."):
            pass
        elif base.startswith(".wh."):
            os.mknod(os.path.join(os.path.dirname(path), base[4:]), stat.S_IFCHR, 0)
        elif not member.isdev() or member.isfifo():
            archive.extract(member, self.target, numeric_owner=True)
