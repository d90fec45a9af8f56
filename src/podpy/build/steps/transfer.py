"""COPY and ADD: files of a context, a stage or an image become a layer's tar. No container is needed.

Where they go is looked up in the image below: a destination's links are followed there, so that `COPY x /bin/` doesn't
put a directory in the place of an image's link `bin`.
"""

from __future__ import annotations

import os
import posixpath
import stat

from podpy import beneath
from podpy.build.steps import tar
from podpy.build.steps.tree import Found, Tree, attributes
from podpy.errors import UsageError
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from podpy.build.reading.ignore import Rules
    from podpy.build.steps.modes import Mode

_DIRECTORY_MODE = 0o755
_FILE_MODE = 0o644


class Source(Record):
    """One source: paths of a tree, as `Tree.chosen` gives them. `keeps_owners`: its files stay whose they are.

    `parents`: they keep the directories of their paths.
    """

    tree: Tree
    paths: list[str]
    keeps_owners: bool = False
    parents: bool = False


class Document(Record):
    """A here-document, or a file that was downloaded (`descriptor`, `size`): a file of its own."""

    name: str
    content: bytes = b""
    descriptor: int = -1
    size: int = 0
    mode: int = _FILE_MODE
    mtime: int | None = None


class How(Record):
    """How files are written. `owner`: theirs, unless they keep it, and that of directories that are made for them.

    `mode` makes a mode of that before, and of whether it is a directory; None: the same as before.

    `clock`: makes a source's time (seconds since 1970) the one that is written. `excluded`: paths
    relative to the source that stay out.
    """

    destination: str  # absolute
    owner: tuple[int, int] = (0, 0)
    mode: Mode | None = None
    clock: Callable[[int], int] = int
    now: int = 0
    excluded: Rules | None = None


class LayerTar:
    """The tar of a layer that puts files into an image whose root is `root` (a path that stands for a descriptor)."""

    def __init__(self, root: str, how: How, *, keeps_owners: bool = False) -> None:
        self._root = root
        self._how = how
        self._written: dict[str, bool] = {}  # what the archive has: whether it is a directory
        self._new: set[str] = set()  # directories of the archive that the image doesn't have: nothing is in these
        self._several = False
        self._links: dict[tuple[int, int], bytes] = {}
        self._keeps_owners = keeps_owners

    def pieces(self, sources: Sequence[Source | Document]) -> Iterator[bytes]:
        """Yield the tar. Raises UsageError, OSError."""
        wanted = self._how.destination
        single = [
            (source, path) for source in sources for path in (source.paths if isinstance(source, Source) else [""])
        ]
        self._several = len(single) > 1
        into = self._several or wanted.endswith("/") or self._is_directory(wanted)
        # Of several files with one name the last one counts, and an archive must not name a file twice.
        for source, path in reversed(single):
            if isinstance(source, Document):
                if into and not source.name:
                    raise UsageError("the address has no file's name", hint="Name the file: ADD ADDRESS /dir/file")
                yield from self._document(source, posixpath.join(wanted, source.name) if into else wanted)
                continue
            self._keeps_owners = source.keeps_owners
            if source.parents:
                yield from self._with_parents(source.tree, path, wanted)
            else:
                yield from self._source(source.tree, path, wanted, into=into)
        yield tar.end()

    def _takes(self, target: str, *, directory: bool) -> bool:
        """Return whether the archive doesn't have a path yet.

        Raises UsageError for a directory in the place of a file, or the other way round, in BuildKit's words.
        """
        name = target.strip("/")
        found = self._written.get(name)
        is_first = found is None
        if is_first and posixpath.dirname(name) not in self._new:
            found = self._kind_below(name)
        if found is not None and found != directory:
            told = "cannot copy to non-directory: /{}" if directory else "cannot replace to directory /{} with file"
            raise UsageError(told.format(name))
        if directory and found is None:
            self._new.add(name)
        if self._several or directory:
            self._written[name] = directory
        return is_first

    def _kind_below(self, name: str, flags: int = os.O_NOFOLLOW) -> bool | None:
        """Return whether a path of the image is a directory, not a link to one; None: it isn't there."""
        try:
            descriptor = beneath.open_in_root(self._root, name, os.O_PATH | flags)
        except OSError:
            return None
        try:
            return stat.S_ISDIR(os.fstat(descriptor).st_mode)
        finally:
            os.close(descriptor)

    def _is_directory(self, path: str) -> bool:
        return bool(self._kind_below(path, 0))

    def _real(self, path: str) -> str:
        return beneath.real_path(self._root, path)

    def _document(self, document: Document, target: str) -> Iterator[bytes]:
        target = self._real(target)
        yield from self._parents(target)
        if not self._takes(target, directory=False):
            return
        mode = document.mode if self._how.mode is None else self._how.mode(document.mode, False)
        mtime = self._how.now if document.mtime is None else self._how.clock(document.mtime)
        uid, gid = self._how.owner
        name = os.fsencode(target.strip("/"))
        size = document.size if document.descriptor >= 0 else len(document.content)
        yield tar.header(tar.Entry(name=name, mode=mode, uid=uid, gid=gid, mtime=mtime, size=size))
        if document.descriptor >= 0:
            os.lseek(document.descriptor, 0, os.SEEK_SET)
            yield from tar.contents(document.descriptor, size)
            return
        yield document.content
        yield tar.padding(size)

    def _with_parents(self, tree: Tree, path: str, wanted: str) -> Iterator[bytes]:
        yield from self._tree(tree, path, self._real(posixpath.join(wanted, path)))

    def _source(self, tree: Tree, path: str, wanted: str, *, into: bool) -> Iterator[bytes]:
        walk = tree.walk_again(path)
        first = next(walk)
        if first.is_directory:
            yield from self._directory(first, walk, self._real(wanted))
            return
        target = posixpath.join(wanted, posixpath.basename(path)) if into else wanted
        yield from self._file(first, self._real(target))

    def _tree(self, tree: Tree, path: str, target: str) -> Iterator[bytes]:
        walk = tree.walk_again(path)
        first = next(walk)
        if first.is_directory:
            yield from self._directory(first, walk, target)
        else:
            yield from self._file(first, target)

    def _directory(self, top: Found, walk: Iterator[Found], target: str) -> Iterator[bytes]:
        """Yield what is in a directory, below `target`, which is made with the directory's time if it is missing."""
        mode = _DIRECTORY_MODE if self._how.mode is None else self._how.mode(_DIRECTORY_MODE, True)
        yield from self._parents(f"{target.rstrip('/')}/.", time=self._how.clock(int(top.status.st_mtime)), mode=mode)
        pruned = ""
        for found in walk:
            if pruned and found.path.startswith(pruned):
                continue
            if self._how.excluded is not None and self._how.excluded.ignores(found.path, found.is_directory):
                if found.is_directory and not self._how.excluded.may_keep_below(found.path):
                    pruned = f"{found.path}/"
                continue
            inner = f"{target.rstrip('/')}/{found.path}"
            if self._takes(inner, directory=found.is_directory):
                yield from self.entry(found, inner)

    def _file(self, found: Found, target: str) -> Iterator[bytes]:
        if self._how.excluded is not None and self._how.excluded.ignores(posixpath.basename(target)):
            return
        yield from self._parents(target)
        if self._takes(target, directory=False):
            yield from self.entry(found, target)

    def _parents(self, target: str, *, time: int | None = None, mode: int = _DIRECTORY_MODE) -> Iterator[bytes]:
        """Yield the directories above `target` that are missing, in the image and in the archive.

        `time` and `mode`: the last one's. Raises UsageError for one that is something else.
        """
        uid, gid = self._how.owner
        parts = target.strip("/").split("/")[:-1]
        for number in range(1, len(parts) + 1):
            path = "/".join(parts[:number])
            if self._written.get(path) or self._is_directory(path):
                continue
            if path in self._written or self._kind_below(path) is not None:
                raise UsageError(f"mkdir /{path}: not a directory")
            self._written[path] = True
            self._new.add(path)
            is_last = number == len(parts)
            yield tar.header(
                tar.Entry(
                    name=os.fsencode(path), kind=tar.DIRECTORY, mode=mode if is_last else _DIRECTORY_MODE, uid=uid,
                    gid=gid, mtime=self._how.now if time is None or not is_last else time,
                )
            )  # fmt: skip

    def entry(self, found: Found, target: str) -> Iterator[bytes]:
        """Yield a file's entry, under the path `target`, with its content. Raises UsageError for a socket, OSError."""
        how, status = self._how, found.status
        name = target.strip("/")
        kind = _kind(status.st_mode)
        if not kind:
            raise UsageError(f"{found.path or target}: a socket can't be in an image")
        uid, gid = (status.st_uid, status.st_gid) if self._keeps_owners else how.owner
        is_link = kind == tar.SYMLINK
        mode = stat.S_IMODE(status.st_mode)
        mode = mode if how.mode is None or is_link else how.mode(mode, found.is_directory)
        entry = tar.Entry(
            name=os.fsencode(name), kind=kind, mode=mode, uid=uid, gid=gid, mtime=how.clock(int(status.st_mtime)),
            link=os.fsencode(found.link) if is_link else b"", size=status.st_size if kind == tar.FILE else 0,
            device=status.st_rdev if kind not in (tar.FILE, tar.DIRECTORY) else 0,
            attributes={os.fsencode(key): value for key, value in attributes(found).items()},
        )  # fmt: skip
        if kind != tar.FILE:
            yield tar.header(entry)
            return
        first = self._first_name(entry, status)
        if first:
            yield tar.header(entry.replace(kind=tar.LINK, link=first, size=0, attributes={}))
            return
        descriptor = found.open()
        try:
            size = os.fstat(descriptor).st_size
            yield tar.header(entry.replace(size=size))
            yield from tar.contents(descriptor, size)
            found.check_unchanged(descriptor)
        finally:
            os.close(descriptor)

    def _first_name(self, entry: tar.Entry, status: os.stat_result) -> bytes:
        """Return the name under which the archive has the same file already, or nothing."""
        if status.st_nlink < 2:
            return b""
        first = self._links.setdefault((status.st_dev, status.st_ino), entry.name)
        return b"" if first == entry.name else first


def _kind(mode: int) -> bytes:
    kinds = {
        stat.S_IFREG: tar.FILE, stat.S_IFDIR: tar.DIRECTORY, stat.S_IFLNK: tar.SYMLINK, stat.S_IFIFO: tar.FIFO,
        **tar.DEVICES,
    }  # fmt: skip
    return kinds.get(stat.S_IFMT(mode), b"")


def directory_pieces(root: str, path: str, *, now: int, owner: tuple[int, int] = (0, 0)) -> Iterator[bytes] | None:
    """Return a tar with a directory and its missing parents (WORKDIR); None if it is there. Raises UsageError."""
    how = How(destination=path, owner=owner, now=now)
    archive = LayerTar(root, how)
    target = archive._real(path)
    made = [*archive._parents(f"{target.rstrip('/')}/.")]
    return iter([*made, tar.end()]) if made else None
