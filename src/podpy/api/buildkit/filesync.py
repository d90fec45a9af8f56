"""Files between a client and a build (tonistiigi/fsutil): first what each file is, in the order of paths, then the
contents that the receiver asks for, by the file's number.

What comes is written beneath one empty directory of ours: a path's parent must be a directory that came before it, so
no link is ever followed.
"""

from __future__ import annotations

import os
import stat

from podpy.api.buildkit.grpc import INTERNAL, INVALID, GrpcError
from podpy.api.buildkit.messages import PACKET

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from podpy.api.buildkit.grpc import Messages

_STAT, _REQUEST, _DATA, _FINISHED, _ERROR = range(5)
# os.FileMode of Go
_DIRECTORY, _LINK, _DEVICE, _PIPE, _SOCKET, _CHARACTER = 1 << 31, 1 << 27, 1 << 26, 1 << 25, 1 << 24, 1 << 21
_OTHERS = _DEVICE | _PIPE | _SOCKET | _CHARACTER
_SPECIAL = ((1 << 23, stat.S_ISUID), (1 << 22, stat.S_ISGID), (1 << 20, stat.S_ISVTX))
_PIECE = 32 << 10
_WRITING = os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC
_MAKING = _WRITING | os.O_CREAT | os.O_EXCL
_READING = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC


class Receiving:
    """One transfer into an empty directory."""

    def __init__(self, call: Messages, target: str) -> None:
        self._call = call
        self._target = target
        self._known = {""}  # directories that are there
        self._directories: list[tuple[str, dict[str, Any]]] = []
        self._waiting: dict[int, tuple[str, dict[str, Any], int]] = {}  # path, what it is, descriptor or -1
        self._count = 0
        self._is_listed = False

    async def run(self) -> None:
        """Receive all. Raises GrpcError, Gone, OSError."""
        try:
            async for packet in self._call.rest(PACKET):
                await self._take(packet)
        finally:
            for _, _, descriptor in self._waiting.values():
                if descriptor >= 0:
                    os.close(descriptor)
        if not self._is_listed or self._waiting:
            raise GrpcError(INTERNAL, "the client's files broke off")
        for path, what in reversed(self._directories):
            _finish(path, what)

    async def _take(self, packet: dict[str, Any]) -> None:
        kind = packet["type"]
        if kind == _STAT and packet["stat"] is None:
            self._is_listed = True
        elif kind == _STAT:
            number, self._count = self._count, self._count + 1
            if self._make(number, packet["stat"]):
                await self._call.send({"type": _REQUEST, "id": number}, PACKET)
        elif kind == _DATA:
            self._write(packet["id"], packet["data"])
        elif kind == _ERROR:
            raise GrpcError(INTERNAL, packet["data"].decode("utf-8", "replace"))
        if self._is_listed and not self._waiting and kind in (_STAT, _DATA):
            await self._call.send({"type": _FINISHED}, PACKET, end=True)

    def _make(self, number: int, what: dict[str, Any]) -> bool:
        """Make a file, which is empty; return whether its content is to be asked for.

        It is there before its content: a hard link may come in between.
        """
        mode, path = what["mode"], self._place(what["path"])
        if mode & _DIRECTORY:
            os.mkdir(path, 0o700)
            self._known.add(what["path"])
            self._directories.append((path, what))
        elif mode & _LINK:
            os.symlink(_plain(what["link"]), path)
        elif mode & _OTHERS:
            return False  # nothing that a build could copy
        elif what["link"]:
            os.link(self._place(what["link"]), path, follow_symlinks=False)
        else:
            os.close(os.open(path, _MAKING, 0o600))
            self._waiting[number] = path, what, -1
            return True
        return False

    def _place(self, path: str) -> str:
        parts = _plain(path).split("/")
        if not path or ".." in parts or "." in parts or "" in parts or os.path.dirname(path) not in self._known:
            raise GrpcError(INTERNAL, f"the client sent a path that isn't one of a directory's: {path}")
        return os.path.join(self._target, path)

    def _write(self, number: int, data: bytes) -> None:
        if number not in self._waiting:
            raise GrpcError(INTERNAL, "the client sent a file that wasn't asked for")
        path, what, descriptor = self._waiting[number]
        if descriptor < 0:
            descriptor = os.open(path, _WRITING)
            self._waiting[number] = path, what, descriptor
        while data:
            data = data[os.write(descriptor, data) :]
            if not data:
                return
        os.close(descriptor)
        del self._waiting[number]
        _finish(path, what)


def _plain(path: str) -> str:
    if "\0" in path:
        raise GrpcError(INVALID, "the client sent a path with a NUL in it")
    return path


def _finish(path: str, what: dict[str, Any]) -> None:
    os.chmod(path, _mode(what["mode"]))
    os.utime(path, ns=(what["mtime"], what["mtime"]))


def _mode(gos: int) -> int:
    return gos & 0o777 | sum(own for bit, own in _SPECIAL if gos & bit)


async def send_directory(call: Messages, directory: str) -> None:
    """Send the files of a directory. Raises GrpcError, Gone, OSError."""
    files: dict[int, str] = {}  # those with contents, by their numbers
    for number, (path, status) in enumerate(_walk(directory, "")):
        link = os.readlink(os.path.join(directory, path)) if stat.S_ISLNK(status.st_mode) else ""
        if stat.S_ISREG(status.st_mode):
            files[number] = path
        await call.send({"type": _STAT, "stat": _shown(path, status, link)}, PACKET)
    await call.send({"type": _STAT}, PACKET)
    async for packet in call.rest(PACKET):
        if packet["type"] == _REQUEST:
            if packet["id"] not in files:
                raise GrpcError(INVALID, f"the client asked for file {packet['id']}, which has no content")
            await _send_file(call, packet["id"], os.path.join(directory, files[packet["id"]]))
        elif packet["type"] == _ERROR:
            raise GrpcError(INTERNAL, packet["data"].decode("utf-8", "replace"))
        elif packet["type"] == _FINISHED:
            await call.send({"type": _FINISHED}, PACKET, end=True)


async def _send_file(call: Messages, number: int, path: str) -> None:
    with os.fdopen(os.open(path, _READING), "rb") as file:
        while data := file.read(_PIECE):
            await call.send({"type": _DATA, "id": number, "data": data}, PACKET)
    await call.send({"type": _DATA, "id": number}, PACKET)


def _walk(directory: str, path: str) -> Iterator[tuple[str, os.stat_result]]:
    """Yield what is in a directory, in the order that the receiver wants: a directory before what is in it."""
    for name in sorted(os.listdir(os.path.join(directory, path))):
        here = f"{path}/{name}" if path else name
        status = os.lstat(os.path.join(directory, here))
        if stat.S_ISSOCK(status.st_mode):
            continue
        yield here, status
        if stat.S_ISDIR(status.st_mode):
            yield from _walk(directory, here)


def _shown(path: str, status: os.stat_result, link: str) -> dict[str, Any]:
    kinds = {stat.S_IFDIR: _DIRECTORY, stat.S_IFLNK: _LINK, stat.S_IFIFO: _PIPE}
    mode = status.st_mode & 0o777 | kinds.get(stat.S_IFMT(status.st_mode), 0)
    mode |= sum(bit for bit, own in _SPECIAL if status.st_mode & own)
    return {
        "path": path, "mode": mode, "size": status.st_size if stat.S_ISREG(status.st_mode) else 0,
        "mtime": status.st_mtime_ns, "link": link,
    }  # fmt: skip
