"""Names on user networks: the files that podpy-resolver reads, and the process.

The folder `names` beside the shared namespace's `netns` holds one file per network with names, in aardvark-dns's format
(its README; a file of netavark is read as well):

    names/NETWORK          (NETWORK%int for an internal one, whose questions aren't forwarded)
        10.89.0.1,fd00:1::1[ 1.1.1.1]                 addresses to listen on, port 53; the network's own servers
        ID IPV4S IPV6S NAME,NAME,…[ SERVER,SERVER]    a container; lists by commas, one blank between fields, empty
                                                      ones too; its own servers (`--dns`)

Whoever writes holds the lock of the shared namespace, so the text is read, changed, and put in place at once. The
resolver sees the new file by inotify: it opens and closes its listeners and answers with the new names, without a
signal. A network without containers has no file.

`resolver.pid` ("INODE PID", the inode of the shared namespace) is locked (F_OFD_SETLK, fcntl(2)) by who starts the
resolver, which inherits the lock: one is alive, or on its way, while the lock is held, and a kill of whoever frees it.
The PID comes when it listens; up to then who has started it holds `resolver-start.lock` (flock(2)), for which other
starts wait. It ends when `netns` is unlinked.
"""

from __future__ import annotations

import os

from podpy import files, process
from podpy.errors import NetworkSetupError
from podpy.plan import Operation
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

NAMES = "names"
NETNS = "netns"
PID_FILE = "resolver.pid"
START_LOCK = "resolver-start.lock"
_ASIDE = "names.next"  # beside the folder: every file in it is a network's
_INTERNAL = "%int"
_SEPARATORS = frozenset(" ,")
_PROGRAM = "resolver"
_PROCESS_NAME = "podpy-resolver"
_F_OFD_GETLK, _F_OFD_SETLK, _F_UNLCK = 36, 37, 2  # asm-generic/fcntl.h
_READY = b"+"


class Zone(Record):
    """A network whose names are known: what the first line of its file says."""

    network: str
    addresses: list[str]  # of its gateways: where the resolver listens
    servers: list[str] = []  # instead of the host's (`network create --dns`)
    internal: bool = False


class Entry(Record):
    """A container on a network, as the others see it."""

    container_id: str
    v4: list[str] = []
    v6: list[str] = []
    names: list[str]  # its name, aliases, short id, own hostname: truth of Podman's order, but any order works
    servers: list[str] = []  # `--dns`


def write(directory: str, zone: Zone, entries: Iterable[Entry]) -> None:
    """Make a network's file anew, with these containers; without any, remove it. `directory` has the `names` folder.

    The caller holds the lock. Raises OSError.
    """
    _put(directory, zone, [_line(entry) for entry in entries])


def add(directory: str, zone: Zone, entry: Entry) -> None:
    """Add a container to a network, or replace what is known of it. The caller holds the lock. Raises OSError."""
    lines = _lines_without(directory, zone.network, entry.container_id)
    _put(directory, zone, [*lines[1:], _line(entry)])


def change(directory: str, zone: Zone) -> None:
    """Write a network's own line anew; without containers it has none. The caller holds the lock. Raises OSError."""
    lines = _lines_without(directory, zone.network, "")
    if len(lines) > 1:
        _put(directory, zone, lines[1:])


def remove(directory: str, network: str, container_id: str = "") -> None:
    """Forget a container on a network, or the whole network. Nothing there is no error.

    The caller holds the lock. Raises OSError.
    """
    lines = _lines_without(directory, network, container_id) if container_id else []
    for suffix in ("", _INTERNAL):
        path = os.path.join(directory, NAMES, network + suffix)
        if len(lines) < 2:
            files.unlink(path)
        elif os.path.exists(path):
            _replace(directory, path, lines)


def addresses(directory: str, network: str) -> list[str]:
    """Return where the resolver listens for a network; nothing if no container is on it."""
    first = _lines_without(directory, network, "")[0]
    return list(filter(None, first.partition(" ")[0].split(",")))


def _lines_without(directory: str, network: str, container_id: str) -> list[str]:
    """Return the lines of a network's file but the container's; the first one is the network's own, even if empty."""
    path = os.path.join(directory, NAMES, network)
    text = files.read_small(path) or files.read_small(path + _INTERNAL)
    first, *lines = text.splitlines() or [""]
    return [first, *(line for line in lines if not line.startswith(container_id + " "))]


def _put(directory: str, zone: Zone, lines: list[str]) -> None:
    path = os.path.join(directory, NAMES, zone.network)
    wanted, other = (path + _INTERNAL, path) if zone.internal else (path, path + _INTERNAL)
    files.unlink(other)
    if not lines or not zone.addresses:
        files.unlink(wanted)
        return
    first = " ".join([",".join(zone.addresses), *([",".join(zone.servers)] if zone.servers else [])])
    _replace(directory, wanted, [first, *lines])


def forget(directory: str, keeps: Callable[[str], bool]) -> None:
    """Forget the containers whose ids `keeps` refuses, on all networks. The caller holds the lock. Raises OSError."""
    folder = os.path.join(directory, NAMES)
    try:
        names = os.listdir(folder)
    except FileNotFoundError:
        return
    for name in names:
        path = os.path.join(folder, name)
        first, *lines = files.read_small(path).splitlines() or [""]
        living = [line for line in lines if keeps(line.partition(" ")[0])]
        if not living:
            files.unlink(path)
        elif len(living) < len(lines):
            _replace(directory, path, [first, *living])


def _replace(directory: str, path: str, lines: list[str]) -> None:
    aside = os.path.join(directory, _ASIDE)
    # Only who has the lock writes it, so it needs no other name while it is written.
    with open(aside, "w", encoding="utf-8", errors="surrogateescape", opener=_open_private) as file:
        file.write("".join(f"{line}\n" for line in lines))
    try:
        os.rename(aside, path)
    except FileNotFoundError:
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        os.rename(aside, path)


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _line(entry: Entry) -> str:
    # A host name may be any text (sethostname(2)); one with these characters can't be asked for.
    names = [name for name in dict.fromkeys(entry.names) if name.isprintable() and not _SEPARATORS.intersection(name)]
    fields = [entry.container_id, ",".join(entry.v4), ",".join(entry.v6), ",".join(names)]
    return " ".join([*fields, *([",".join(entry.servers)] if entry.servers else [])])


def is_alive(directory: str, inode: int) -> bool:
    """Return whether a resolver answers, or will soon, in the shared namespace with this inode number."""
    import fcntl

    try:
        descriptor = os.open(_pid_file(directory), os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        # Asked for, not taken: somebody who starts one right now must get the lock.
        question = files.whole_file(fcntl.F_RDLCK)
        is_free = fcntl.fcntl(descriptor, _F_OFD_GETLK, question)[:2] == files.whole_file(_F_UNLCK)[:2]
        return not is_free and os.read(descriptor, 64).split()[:1] == [str(inode).encode()]
    finally:
        os.close(descriptor)


def pid(directory: str) -> int:
    """Return the pid of the resolver that was started last; 0: none is known, or it doesn't listen yet."""
    words = files.read_small(_pid_file(directory)).split()
    return int(words[1]) if len(words) > 1 and words[1].isdigit() else 0


def take(directory: str, inode: int) -> int:
    """Return a descriptor with the lock of the resolver of this namespace, or -1 if one is alive, or on its way.

    The process that inherits it is the resolver as long as it lives. Raises OSError.
    """
    import fcntl

    path = _pid_file(directory)
    if is_alive(directory, inode):
        return -1
    # That of a namespace before this one may still be on its way out: it keeps the lock of the old file.
    files.unlink(path)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        fcntl.fcntl(descriptor, _F_OFD_SETLK, files.whole_file(fcntl.F_WRLCK))
        os.write(descriptor, f"{inode}\n".encode())
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _pid_file(directory: str) -> str:
    return os.path.join(directory, PID_FILE)


class StartResolver(Operation):
    """Start podpy-resolver unless one is alive; it gets ready while the rest of the start goes on.

    One that another call has started is waited for as well: the container may ask at once.

    `netns` returns a descriptor of the shared namespace when the operation is executed; it stays the caller's. The
    caller holds the lock of the shared namespace meanwhile, has written its names before, and waits without the lock.
    """

    def __init__(self, directory: str, netns: Callable[[], int]) -> None:
        self.directory = directory
        self.netns = netns
        self._pid = 0
        self._ready = -1
        self._messages = -1
        self._start_lock = -1
        self._awaits_another = False

    def describe(self) -> str:
        """Return what is started."""
        return f"start {_PROCESS_NAME} for {os.path.join(self.directory, NAMES)}, if there is none"

    def execute(self) -> None:
        """Start it, and return at once. Raises OSError."""
        descriptor = self.netns()
        lock = take(self.directory, os.fstat(descriptor).st_ino)
        if lock < 0:
            self._awaits_another = not pid(self.directory)
            return
        self._start_lock = self._lock_start()
        os.makedirs(os.path.join(self.directory, NAMES), mode=0o700, exist_ok=True)
        self._ready, ready = process.pipe()
        self._messages, messages = process.pipe()
        theirs = [descriptor, ready, lock, _lasting_mounts(self.directory)]
        try:
            self._pid = process.spawn(
                [process.own_program(_PROGRAM), self.directory, *map(str, theirs)],
                environment={},
                stdin=-1,
                stdout=-1,
                stderr=messages,
                keep=[each for each in theirs if each >= 0],
                session=True,  # it lives as long as the shared namespace
                name=_PROCESS_NAME,
            )
        finally:
            for each in (messages, *theirs[1:]):
                if each >= 0:
                    os.close(each)

    def wait(self) -> None:
        """Wait until it listens. Raises NetworkSetupError with what it said, if this call has started it."""
        if self._awaits_another:
            os.close(self._lock_start())
        if not self._pid:
            return
        is_ready = os.read(self._ready, 1) == _READY
        os.close(self._ready)
        said = "" if is_ready else process.read_all(self._messages)
        if is_ready:
            os.close(self._messages)
        pid, self._pid = self._pid, 0
        process.wait(pid)  # the resolver is its child: nobody's wait for any child finds it
        os.close(self._start_lock)
        if not is_ready:
            from podpy.network.programs import hint_for

            message = f"{_PROCESS_NAME} can't start: {said or 'it ended without a word'}"
            raise NetworkSetupError(message, hint=hint_for(said))

    def _lock_start(self) -> int:
        """Return a descriptor with the lock of who has started one, when that one listens or has failed."""
        import fcntl

        lock = os.open(os.path.join(self.directory, START_LOCK), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX)
        return lock


def _lasting_mounts(directory: str) -> int:
    """Return a descriptor of the mount namespace that the resolver moves to; -1 if there is none to be had.

    A start's own one has the container's root filesystem mounted, which must go with the container: so it is that of
    the holder (podpy.rootless.holder), or the host's, for root.
    """
    holder = files.read_small(os.path.join(os.path.dirname(directory), "holder")).partition(" ")[0]
    try:
        return os.open(f"/proc/{holder or 1}/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return -1


class WaitForResolver(Operation):
    """Wait until podpy-resolver listens."""

    def __init__(self, start: StartResolver) -> None:
        self.start = start

    def describe(self) -> str:
        """Return what is waited for."""
        return f"wait until {_PROCESS_NAME} listens"

    def execute(self) -> None:
        """Wait. Raises NetworkSetupError."""
        self.start.wait()
