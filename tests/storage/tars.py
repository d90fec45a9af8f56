"""Archives for the tests, with every odd entry that a tar can hold."""

from __future__ import annotations

import hashlib
import io
import tarfile

MTIME = 1_700_000_000


class Tar:
    """A tar under construction. Every method returns self."""

    def __init__(self, format: int = tarfile.PAX_FORMAT) -> None:
        self._stream = io.BytesIO()
        self._tar = tarfile.open(fileobj=self._stream, mode="w", format=format, errors="surrogateescape")  # noqa: SIM115

    def add(self, name: str, kind: bytes = tarfile.REGTYPE, data: bytes = b"", **attributes: object) -> Tar:
        """Add an entry; attributes are TarInfo's (mode, uid, gid, mtime, linkname, devmajor, pax_headers …)."""
        info = tarfile.TarInfo(name)
        info.type, info.size, info.mtime = kind, len(data), MTIME
        for attribute, value in attributes.items():
            setattr(info, attribute, value)
        self._tar.addfile(info, io.BytesIO(data))
        return self

    def file(self, name: str, data: bytes = b"x", **attributes: object) -> Tar:
        return self.add(name, data=data, **attributes)

    def directory(self, name: str, **attributes: object) -> Tar:
        return self.add(name, tarfile.DIRTYPE, **{"mode": 0o755, **attributes})

    def symlink(self, name: str, target: str) -> Tar:
        return self.add(name, tarfile.SYMTYPE, linkname=target, mode=0o777)

    def hardlink(self, name: str, target: str, **attributes: object) -> Tar:
        return self.add(name, tarfile.LNKTYPE, linkname=target, **attributes)

    def bytes(self) -> bytes:
        """Return the finished archive."""
        self._tar.close()
        return self._stream.getvalue()


def digest(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()
