"""Which files of Quadlet there are: the search path, its sub-directories, the directories of drop-ins.

For root        /run/containers/systemd, /etc/containers/systemd, /usr/share/containers/systemd; no `users` below them
For a user      $XDG_RUNTIME_DIR/containers/systemd, $XDG_CONFIG_HOME/containers/systemd (~/.config),
                /etc/containers/systemd/users without the directories of other users in it, …/users/UID,
                the same below /usr/share/containers/systemd
$QUADLET_UNIT_DIRS, absolute paths with colons between them, replaces all that.

Of two files with one name the first one counts. A directory is read before those in it, which follow by name.
"""

from __future__ import annotations

import errno
import os
from stat import S_ISREG

from podpy.quadlet.keys import ending
from podpy.quadlet.problems import Problem
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

SYSTEM = ("/run/containers/systemd", "/etc/containers/systemd", "/usr/share/containers/systemd")
USERS = "users"
DIRECTORIES = "QUADLET_UNIT_DIRS"
LARGEST_FILE = 1 << 20  # bytes; systemd takes no longer line
_MOST_FILES = 10_000
_DEEPEST = 16  # directories below each other
_NOT_THERE = (errno.ENOENT, errno.ENOTDIR)


class Root(Record):
    """One directory of the search path. `users`: which of the directories in it aren't entered, all (`all`), those
    whose name is a number (`numbers`), or none (empty).
    """

    path: str
    users: str = ""


class Tree:
    """What the search path holds."""

    def __init__(self) -> None:
        self.files: dict[str, str] = {}
        """A file's name → its path, in the order in which they were found."""
        self.drop_ins: dict[str, list[str]] = {}
        """`web.container.d` → the directories of that name."""
        self.problems: list[Problem] = []
        self._seen: set[tuple[int, int]] = set()

    def look(self, root: Root) -> None:
        """Add what a directory and those in it hold. One that isn't there is no mistake."""
        self._enter(os.path.realpath(root.path), root.users, 0)

    def add(self, path: str) -> None:
        """Add a file that isn't there yet; it counts before one of the same name."""
        name = os.path.basename(path)
        if ending(name):
            self.files[name] = path

    def _enter(self, directory: str, users: str, depth: int) -> None:
        try:
            status = os.stat(directory)
            place = (status.st_dev, status.st_ino)
            if place in self._seen or not status.st_mode & 0o040000:
                return
            self._seen.add(place)
            with os.scandir(directory) as found:
                entries = sorted(found, key=lambda entry: entry.name)
        except OSError as error:
            if error.errno not in _NOT_THERE:
                self._complain(directory, str(error.strerror))
            return
        below = []
        for entry in entries:
            if _is_directory(entry):
                below.append(entry)
            elif ending(entry.name) and entry.name not in self.files:
                self.files[entry.name] = entry.path
        if len(self.files) > _MOST_FILES:
            self._complain(directory, f"more than {_MOST_FILES} files: the others are left out")
            self.files = dict(list(self.files.items())[:_MOST_FILES])
            return
        for entry in below:
            self._below(entry, users, depth)

    def _below(self, entry: os.DirEntry[str], users: str, depth: int) -> None:
        if entry.name.endswith(".d"):
            self.drop_ins.setdefault(entry.name, []).append(entry.path)
        elif (users == "all" and entry.name == USERS) or (users == "numbers" and entry.name.isdigit()):
            pass
        elif depth == _DEEPEST:
            self._complain(entry.path, f"more than {_DEEPEST} directories below each other: it is left out")
        else:
            path = os.path.realpath(entry.path) if entry.is_symlink() else entry.path
            self._enter(path, "", depth + 1)

    def _complain(self, path: str, text: str) -> None:
        self.problems.append(Problem(path=path, line=0, text=text, fatal=False))


def _is_directory(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads to itself, or to where we may not look
        return False


def roots(environ: Mapping[str, str], *, user: bool, uid: int, home: str) -> tuple[list[Root], list[Problem]]:
    """Return the search path of root (`user` false) or of a user, and what is wrong with it."""
    given = environ.get(DIRECTORIES, "")
    if given:
        return _given(given)
    if not user:
        return [Root(path=path, users="all") for path in SYSTEM], []
    runtime, config = environ.get("XDG_RUNTIME_DIR", ""), environ.get("XDG_CONFIG_HOME", "")
    if not config.startswith("/"):  # XDG Base Directory Specification: another one doesn't count
        config = f"{home}/.config"
    found = [Root(path=f"{path}/containers/systemd") for path in (runtime, config) if path.startswith("/")]
    for path in SYSTEM[1:]:
        found += [Root(path=f"{path}/{USERS}", users="numbers"), Root(path=f"{path}/{USERS}/{uid}")]
    return found, []


def _given(paths: str) -> tuple[list[Root], list[Problem]]:
    found, problems = [], []
    for path in paths.split(":"):
        if path.startswith("/"):
            found.append(Root(path=path))
        elif path:
            problems.append(Problem(path=DIRECTORIES, line=0, text=f"{path} not a valid file path", fatal=False))
    return found, problems


def look(directories: Iterable[Root]) -> Tree:
    """Return what a search path holds."""
    tree = Tree()
    for root in directories:
        tree.look(root)
    return tree


def read(path: str, uid: int) -> tuple[bytes, Problem | None]:
    """Return a file's bytes, and why it isn't read if it isn't: no regular file, too big, or another user's than root
    and `uid` (whoever may write to it decides what this user runs).
    """
    try:
        # O_NONBLOCK: the open of a fifo would wait for somebody who writes to it.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        return b"", Problem(path=path, line=0, text=str(error.strerror))
    try:
        status = os.fstat(descriptor)
        if not S_ISREG(status.st_mode):
            return b"", Problem(path=path, line=0, text="is no regular file")
        if status.st_uid not in (0, uid):
            hint = f"chown {uid or 'root'} {path}"
            return b"", Problem(path=path, line=0, text=f"belongs to user {status.st_uid}, and isn't read", hint=hint)
        if status.st_size > LARGEST_FILE:
            return b"", Problem(path=path, line=0, text=f"is bigger than {LARGEST_FILE} bytes")
        raw = os.read(descriptor, status.st_size)
    except OSError as error:
        return b"", Problem(path=path, line=0, text=str(error.strerror))
    finally:
        os.close(descriptor)
    return raw, None


def drop_in_names(name: str) -> list[str]:
    """Return the directories whose drop-ins a file has, the most specific one first: for `a-b.container`
    a-b.container.d, a-.container.d, container.d; for an instance `a@1.container` also a@.container.d.
    """
    end = ending(name)
    base = name[: -len(end)]
    base, at, instance = base.partition("@")
    found = [f"{name}.d"]
    if instance:
        found.append(f"{base}@{end}.d")
    while "-" in base:
        base = base.rpartition("-")[0]
        if at:
            found.append(f"{base}-@{end}.d")
        found.append(f"{base}-{end}.d")
    return [*found, f"{end[1:]}.d"]


def drop_ins(name: str, tree: Tree) -> list[str]:
    """Return the paths of a file's drop-ins in the order in which they count: by file name; of two with one name that
    of the more specific directory.
    """
    found: dict[str, str] = {}
    for directory in (path for kind in drop_in_names(name) for path in tree.drop_ins.get(kind, ())):
        try:
            names = os.listdir(directory)
        except OSError as error:
            tree.problems.append(Problem(path=directory, line=0, text=str(error.strerror), fatal=False))
            continue
        for entry in names:
            if entry.endswith(".conf"):
                found.setdefault(entry, f"{directory}/{entry}")
    return [found[entry] for entry in sorted(found)]
