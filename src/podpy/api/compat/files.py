"""A container's files: archives of paths, the whole file system, and what has changed."""

from __future__ import annotations

import base64
import os
import stat

from podpy import fastjson, process
from podpy.api.call import Answer
from podpy.api.errors import HttpError
from podpy.errors import NotFoundError, UsageError
from podpy.libpod.containers.contents.options import CopyOptions
from podpy.times import rfc3339

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from podpy.api.call import Call
    from podpy.libpod.containers.contents.stat import PathStat

_TAR = "application/x-tar"
_PIECE = 256 << 10
KINDS = {"C": 0, "A": 1, "D": 2}
# os.FileMode of Go: the bits of each type, and of what is beside the permissions.
_TYPES = {
    stat.S_IFDIR: 1 << 31, stat.S_IFLNK: 1 << 27, stat.S_IFBLK: 1 << 26, stat.S_IFCHR: 1 << 26 | 1 << 21,
    stat.S_IFIFO: 1 << 25, stat.S_IFSOCK: 1 << 24,
}  # fmt: skip
_SPECIAL = ((stat.S_ISUID, 1 << 23), (stat.S_ISGID, 1 << 22), (stat.S_ISVTX, 1 << 20))


def archive(call: Call) -> Answer | None:
    """Send a tar of a path, or only what it is (HEAD)."""
    name, path = _name(call), _path(call)
    found = call.runtime.containers.stat(name, path)
    shown = _shown(found)
    if call.request.is_libpod:
        shown["isDir"] = stat.S_ISDIR(found.mode)
        shown["linkTarget"] = _place(call.runtime.container(name).spec.workdir, path, found.target)
    told = ("X-Docker-Container-Path-Stat", base64.b64encode(fastjson.dumps(shown).encode()).decode())
    if call.request.method == "HEAD":
        return Answer(type=_TAR, headers=(told,))
    send(call, lambda out: call.runtime.containers.copy_out(name, path, out), _TAR, (told,))
    return None


def _name(call: Call) -> str:
    name = call.path["id"].removeprefix("/")
    call.runtime.container(name)
    return name


def _path(call: Call) -> str:
    path: str = call.query["path"]
    if not path:
        raise HttpError(400, "bad parameter: pathcannot be empty")  # dockerd's words
    return path


def _shown(found: PathStat) -> dict[str, object]:
    bits = _TYPES.get(stat.S_IFMT(found.mode), 0) | found.mode & 0o777
    for own, gos in _SPECIAL:
        bits |= gos if found.mode & own else 0
    return {
        "name": found.name,
        "size": found.size,
        "mode": bits,
        "mtime": rfc3339(found.modified, utc=True),
        "linkTarget": found.target,
    }


def _place(workdir: str, path: str, target: str) -> str:
    """Return where a path leads: Podman's clients copy to the place that is told here, of what is no link, too."""
    place = os.path.normpath(os.path.join("/", workdir, path))
    return os.path.normpath(os.path.join(os.path.dirname(place), target)) if target else place


def send(call: Call, work: Callable[[int], object], kind: str, headers: tuple[tuple[str, str], ...] = ()) -> None:
    """Send what `work` writes to a descriptor, while it writes it.

    A child does the work, so that nothing but its own data waits for the client. If it fails, the answer breaks off.
    """
    reading, writing = process.pipe()
    call.runtime.close()  # no SQLite connection may be carried over a fork
    child = process.fork()
    if child == 0:
        code = 1
        try:
            os.close(reading)
            work(writing)
            call.runtime.close(at_end=True)
            code = 0
        finally:
            os._exit(code)
    os.close(writing)
    call.connection.begin(200, [("Content-Type", kind), *headers])
    while piece := os.read(reading, _PIECE):
        call.connection.write(piece)
    if process.wait(child) == 0:
        call.connection.end()


def put_archive(call: Call) -> Answer:
    """Unpack a tar into a directory of a container."""
    name, path = _name(call), _path(call)
    try:
        call.runtime.containers.stat(name, path.rstrip("/") + "/.")
    except NotFoundError:
        call.runtime.containers.stat(name, path)  # raises NotFoundError with the path as it was given
        raise HttpError(400, "extraction point is not a directory") from None
    options = CopyOptions(archive=call.query["copyUIDGID"], overwrite=not call.query["noOverwriteDirNonDir"])
    source = call.connection.body_pipe()
    try:
        call.runtime.containers.copy_in(name, source, path, options)
    except UsageError as error:
        raise HttpError(400, error.message) from None
    finally:
        os.close(source)
    return Answer(body=b"")


def export(call: Call) -> None:
    """Send a tar of a container's root file system."""
    name = _name(call)
    send(call, lambda out: call.runtime.containers.export(name, out), "application/octet-stream")


def changes(call: Call) -> Answer:
    """List what differs from the image: 0 changed, 1 added, 2 deleted."""
    try:
        found = call.runtime.containers.diff(_name(call))
    except NotFoundError:
        raise HttpError(404, f"No such container: {call.name}") from None
    listed = [{"Path": each.path, "Kind": KINDS[each.kind]} for each in found]
    return Answer(listed) if listed else Answer(body=b"null\n", type="application/json")
