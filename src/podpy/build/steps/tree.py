"""Sources of COPY and ADD: files beneath one directory, a context's or an image's root.

A path resolves as after a chroot to the top, and each directory below it is entered by its descriptor: nothing leads
out, whatever links there are. What is ignored isn't there.
"""

from __future__ import annotations

import os
import stat
from array import array
from bisect import bisect_left
from hashlib import sha256
from time import time_ns

from podpy import beneath
from podpy.errors import UsageError
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from podpy.build.reading.ignore import Rules
    from podpy.storage.file_digests import FileDigests

    KnownDigests = Callable[[str], FileDigests]

_MAGIC = "*?[\\"
_PIECE = 1 << 20
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_KINDS = {stat.S_IFREG: b"f", stat.S_IFDIR: b"d", stat.S_IFLNK: b"l", stat.S_IFIFO: b"p"}


class Found(Record):
    """A file of a tree. `path` is relative to what was walked ("" is that itself), `directory` a descriptor and `name`
    the file's name in it: for as long as the walk stands there.
    """

    path: str
    status: os.stat_result
    directory: int
    name: str

    @property
    def is_directory(self) -> bool:
        """Whether it is a directory, not a link to one."""
        return stat.S_ISDIR(self.status.st_mode)

    @property
    def is_file(self) -> bool:
        """Whether it is a regular file."""
        return stat.S_ISREG(self.status.st_mode)

    @property
    def link(self) -> str:
        """Where a symbolic link leads; "" for what is none."""
        return os.readlink(self.name, dir_fd=self.directory) if stat.S_ISLNK(self.status.st_mode) else ""

    def check_unchanged(self, descriptor: int) -> None:
        """Raise UsageError if a file that has just been read by this descriptor was changed since it was found."""
        if stamp(os.fstat(descriptor)) != stamp(self.status):
            raise changed(self)

    def open(self) -> int:
        """Return a descriptor of a regular file. Raises OSError."""
        flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
        if self.directory < 0:  # it is called by its descriptor
            return os.open(self.name, flags)
        return os.open(self.name, flags | os.O_NOFOLLOW, dir_fd=self.directory)


class Tree:
    """Files beneath `root`, a path or a descriptor's magic path. `name`: what errors call it.

    `ignored`: rules for paths relative to the top: what they ignore isn't there. `known`: returns
    the digests of earlier builds by the root.
    """

    def __init__(
        self, root: str, *, name: str = "", ignored: Rules | None = None, known: KnownDigests | None = None
    ) -> None:
        self.root = root
        self.name = name or root
        self._ignored = ignored or None
        self._known = known
        self._digested = Stamps()

    def chosen(self, pattern: str) -> list[str]:
        """Return the paths that a source's text means, sorted: itself, or what fits its wildcards.

        Raises UsageError if there is nothing.
        """
        path = _clean(pattern)
        if not any(character in pattern for character in _MAGIC):
            if path and self._is_gone(path):
                raise UsageError(
                    f'no items matching glob "{pattern}" copied (1 filtered out): no such file or directory',
                    hint="The ignore file leaves it out",
                )
            return [path]
        found = sorted(self._fitting(path))
        if not found:
            raise UsageError(f'no items matching glob "{pattern}" copied: no such file or directory')
        return found

    def _fitting(self, pattern: str) -> Iterator[str]:
        parts = pattern.split("/")
        waiting = [("", parts)]
        while waiting:
            path, rest = waiting.pop()
            if not rest:
                yield path
                continue
            first, *others = rest
            if first == "**":
                waiting.append((path, others))
                waiting += [(found.path, rest) for found in self._entries(path) if found.is_directory]
            elif not any(character in first for character in _MAGIC):
                inner = f"{path}/{first}" if path else first
                if self._there(inner) and not self._is_gone(inner):
                    waiting.append((inner, others))
            else:
                fits = _compiled(first)
                waiting += [(found.path, others) for found in self._entries(path) if fits(found.name)]

    def _there(self, path: str) -> bool:
        try:
            os.close(self._open(path, os.O_PATH))
        except OSError:
            return False
        return True

    def _entries(self, path: str) -> list[Found]:
        """Return what is in a directory, with paths from the top."""
        try:
            directory = self._open(path, os.O_RDONLY | os.O_DIRECTORY)
        except OSError:
            return []
        try:
            names = sorted(os.listdir(directory))
            pairs = [(name, os.stat(name, dir_fd=directory, follow_symlinks=False)) for name in names]
        finally:
            os.close(directory)
        found = [
            Found(path=f"{path}/{name}" if path else name, status=status, directory=-1, name=name)
            for name, status in pairs
        ]
        return [one for one in found if not self._is_gone(one.path, directory=one.is_directory)]

    def _is_gone(self, path: str, *, directory: bool | None = None) -> bool:
        if self._ignored is None or not path:
            return False
        if directory is None:
            try:
                descriptor = self._open(path, os.O_PATH | os.O_NOFOLLOW)
            except OSError:
                return False
            directory = stat.S_ISDIR(os.fstat(descriptor).st_mode)
            os.close(descriptor)
        if not self._ignored.ignores(path, directory):
            return False
        if not directory or not self._ignored.may_keep_below(path):
            return True
        return not any(True for _ in self._kept_below(path))

    def _kept_below(self, path: str) -> Iterator[str]:
        """Yield what an exception keeps in a directory that is ignored."""
        waiting = [path]
        while waiting:
            here = waiting.pop()
            with os.scandir(os.path.join(self.root, here)) as entries:
                for entry in entries:
                    inner = f"{here}/{entry.name}"
                    is_directory = entry.is_dir(follow_symlinks=False)
                    if self._ignored is not None and not self._ignored.ignores(inner, is_directory):
                        yield inner
                    if is_directory:
                        waiting.append(inner)

    def _open(self, path: str, flags: int) -> int:
        return beneath.open_in_root(self.root, path or ".", flags)

    def walk(self, path: str) -> Generator[Found]:
        """Yield what a path leads to, and all below it but sockets, by names; a link at its end is followed, others
        aren't.

        Raises UsageError if it isn't there, OSError.
        """
        try:
            top = self._open(path, os.O_PATH)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise UsageError(f'checking on sources under "{self.name}": copier: stat: "/{path}": {reason}') from None
        try:
            status = os.fstat(top)
            if not stat.S_ISDIR(status.st_mode):
                yield Found(path="", status=status, directory=-1, name=beneath.magic_path(top))
                return
            directory = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=top)
            yield Found(path="", status=status, directory=directory, name=".")
            real = self._real(path) if self._ignored is not None else ""
            yield from self._below(directory, "", real)
        finally:
            os.close(top)

    def _real(self, path: str) -> str:
        return beneath.real_path(self.root, path).strip("/")

    def _below(self, directory: int, path: str, real: str) -> Generator[Found]:
        try:
            for name in sorted(os.listdir(directory)):
                status = os.stat(name, dir_fd=directory, follow_symlinks=False)
                is_directory = stat.S_ISDIR(status.st_mode)
                if stat.S_ISSOCK(status.st_mode):  # it belongs to a process, and an archive can't have it
                    continue
                if self._ignored is not None:
                    seen = f"{real}/{name}" if real else name
                    if self._is_gone(seen, directory=is_directory):
                        continue
                inner = f"{path}/{name}" if path else name
                yield Found(path=inner, status=status, directory=directory, name=name)
                if is_directory:
                    below = os.open(name, _DIRECTORY, dir_fd=directory)
                    yield from self._below(below, inner, f"{real}/{name}" if real else name)
        finally:
            os.close(directory)

    def walk_again(self, path: str) -> Generator[Found]:
        """Walk as before for a digest: what was changed since then must not be in a layer that the digest stands for.

        Raises as `walk`, and UsageError for a file that was changed.
        """
        for found in self.walk(path):
            if found.is_file and not self._digested.has(found.status):
                raise changed(found)
            yield found

    def digest(self, path: str, *, owners: bool) -> str:
        """Return a digest of what a path leads to, and all below: names, kinds, modes, contents, attributes; never
        times. `owners`: of theirs, too. Raises as `walk`, and UsageError for what can't be read.
        """
        whole = sha256()
        known = self._known(self.root) if self._known is not None else None
        at = path
        try:
            for found in self.walk(path):
                at = os.path.join(path, found.path).rstrip("/")
                if found.is_file:
                    self._digested.add(found.status)
                whole.update(_line(found, known, owners=owners))
        except OSError as error:
            raise UsageError(f"open {at or self.name}: {(error.strerror or str(error)).lower()}") from None
        return whole.hexdigest()


class Stamps:
    """Which files were seen, as they were then. A million takes 40 MB."""

    def __init__(self) -> None:
        self._hashes: list[int] | array[int] = array("q")

    def add(self, status: os.stat_result) -> None:
        """Take a file."""
        if isinstance(self._hashes, list):
            self._hashes = array("q", self._hashes)
        self._hashes.append(hash(stamp(status)))

    def has(self, status: os.stat_result) -> bool:
        """Return whether a file was seen as it is now; true if none was."""
        if not isinstance(self._hashes, list):
            self._hashes = sorted(self._hashes)
        at = bisect_left(self._hashes, wanted := hash(stamp(status)))
        return not self._hashes or (at < len(self._hashes) and self._hashes[at] == wanted)


def stamp(status: os.stat_result) -> tuple[int, ...]:
    """Return what differs when a file was changed."""
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def changed(found: Found) -> UsageError:
    """Return the error for a file that was changed while it was read."""
    return UsageError(f"{found.path or 'the file'}: it was changed while it was read", hint="Build again")


def _clean(path: str) -> str:
    """Return a path without `.`, `..` and slashes at its ends: `..` doesn't lead out of the top."""
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            del parts[-1:]
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)


def _compiled(pattern: str) -> Callable[[str], object]:
    """Return a function that tells whether a name fits a pattern of Go's path.Match."""
    import re

    out = []
    position = 0
    while position < len(pattern):
        character = pattern[position]
        position += 1
        if character == "*":
            out.append("[^/]*")
        elif character == "?":
            out.append("[^/]")
        elif character == "\\" and position < len(pattern):
            out.append(re.escape(pattern[position]))
            position += 1
        elif character == "[":
            end = pattern.find("]", position + 1)
            if end < 0:
                raise UsageError(f"{pattern}: syntax error in pattern")
            out.append("[" + pattern[position:end].replace("\\", "\\\\") + "]")
            position = end + 1
        else:
            out.append(re.escape(character))
    return re.compile("".join(out), re.DOTALL).fullmatch


def _line(found: Found, known: FileDigests | None, *, owners: bool) -> bytes:
    status = found.status
    kind = _KINDS.get(stat.S_IFMT(status.st_mode), b"?")
    fields = [os.fsencode(found.path), kind, b"%o" % stat.S_IMODE(status.st_mode)]
    if owners:
        fields.append(b"%d:%d" % (status.st_uid, status.st_gid))
    if kind == b"l":
        fields.append(os.fsencode(found.link))
    elif kind == b"f":
        fields.append(_content_digest(found, known).hex().encode())
    elif kind == b"?":
        fields.append(b"%d" % status.st_rdev)
    fields += [os.fsencode(name) + b"=" + value for name, value in attributes(found).items()]
    return b"\0".join(fields) + b"\0\n"


def _content_digest(found: Found, known: FileDigests | None) -> bytes:
    """Return the digest of a regular file's bytes: that of an earlier build if the file hasn't changed."""
    digest = known.known(found.status) if known is not None else None
    if digest is not None:
        return digest
    content, before = sha256(), time_ns()
    descriptor = found.open()
    try:
        while piece := os.read(descriptor, _PIECE):
            content.update(piece)
        if known is not None and stamp(os.fstat(descriptor)) == stamp(found.status):
            known.put(found.status, content.digest(), before=before)
    finally:
        os.close(descriptor)
    return content.digest()


def attributes(found: Found) -> dict[str, bytes]:
    """Return a file's extended attributes that go into an image: the user's, and capabilities."""
    if not (found.is_file or found.is_directory):
        return {}
    path = found.name if found.directory < 0 else f"{beneath.magic_path(found.directory)}/{found.name}"
    try:
        names = os.listxattr(path)
    except OSError:
        return {}
    wanted = [name for name in names if name.startswith("user.") and not name.startswith("user.overlay.")]
    wanted += [name for name in names if name == "security.capability"]
    return {name: os.getxattr(path, name) for name in sorted(wanted)}
