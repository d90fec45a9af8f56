"""The network namespace of all of a user's bridges: found, made, ended.

    runroot/networks/            0700
        lock                     flock(2), held while somebody finds, makes, plugs in, or takes the last one down
        netns                    an empty file; the namespace is mounted on it in its maker's private mount namespace.
                                 Its unlink ends pasta and the resolver, which watch for that
        inode                    `net:[N]`, as /proc names the namespace. There when it is complete: what a killed maker
                                 has left without is ended and made anew
        users                    `PID START` of each podpy that holds it now: until its monitor does
        without-nft-socket       the kernel can't tell a transparent socket's packets (podpy.network.bridge.firewall)
        pasta.pid, way-out.lock  podpy.network.bridge.way_out

No process keeps it: every attached container's monitor has a descriptor of it, through which it is found. When the last
row of an attachment goes, `end` unlinks it. A kill leaves at most a namespace that nobody finds, whose pasta ends when
the next call makes another one.
"""

from __future__ import annotations

import os

from podpy import files, linux, pids, process
from podpy.network import netns
from podpy.network.bridge import firewall, links, nftables, routes
from podpy.network.bridge.netlink import Netlink
from podpy.network.bridge.way_out import LOCK as WAY_OUT_LOCK
from podpy.network.bridge.way_out import WayOut
from podpy.notice import warn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import TracebackType
    from typing import Self

    from podpy.config.containers_conf import ContainersConf
    from podpy.config.paths import Paths
    from podpy.network.bridge.host_firewall import Published

_INODE, _USERS, _WITHOUT_SOCKET = "inode", "users", "without-nft-socket"
TABLE = 100
_MANY_USERS = 512  # bytes


class SharedNamespace:
    """The user's. All but `wait` is done with the lock held:

    with SharedNamespace(paths, conf) as shared:
        descriptor = shared.open(monitors)
        links.make_bridge(…), links.attach(…), firewall.allow(descriptor, …)
    …
    shared.wait()
    """

    is_host = False
    """Whether it is the host's own namespace."""
    mtu = links.DEFAULT_MTU
    """Bytes, of bridges that say nothing of it."""
    was_flushed = False
    """Whether `open` has found that the firewall was gone, and has loaded one without any rights."""

    def __init__(self, paths: Paths, conf: ContainersConf) -> None:
        self.owner = links.OWNER
        self.directory = os.path.join(paths.runroot, netns.SHARED)
        self.path = os.path.join(self.directory, netns.NETNS)
        self.way_out = WayOut(self.directory, conf, rootful=not paths.rootless)
        self._lock = -1
        self._has_way_out = False  # when it was opened, or it needs none

    def __enter__(self) -> Self:
        import fcntl

        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC
        try:
            self._lock = os.open(self._file("lock"), flags, 0o600)
        except FileNotFoundError:
            os.makedirs(self.directory, mode=0o700, exist_ok=True)
            self._lock = os.open(self._file("lock"), flags, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        os.close(self._lock)
        self._lock = -1

    @property
    def has_transparent_sockets(self) -> bool:
        """Whether a forwarder may speak with its clients' addresses; known once the namespace is made."""
        return not os.path.exists(self._file(_WITHOUT_SOCKET))

    def leaves_by_new_pasta(self, cache: str) -> bool:
        """Return whether the way out is a pasta that isn't old. Raises NotSupportedError without a program for it."""
        return self.way_out.is_new_pasta(cache)

    def open(self, monitors: Iterable[int] = (), *, way_out: bool = True) -> int:
        """Return a descriptor of the namespace, found or made, with its way out on its way.

        The caller closes it when a monitor has its own, and calls `wait` before the container needs the network; it
        is in a mount namespace of its own. `monitors`: pids of processes that may hold it. `way_out`: the caller needs
        one. Raises OSError, NotSupportedError without nft or pasta, NetworkSetupError.
        """
        descriptor = self.find(monitors)
        if descriptor < 0:
            self._has_way_out = not way_out
            return self._make(way_out=way_out)
        try:
            self._note_user()
            self._has_way_out = not way_out or self.way_out.is_there()
            if not self._has_way_out:
                self._mount(descriptor)
                self.way_out.start(again=True)
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    def find(self, monitors: Iterable[int] = ()) -> int:
        """Return a descriptor of the namespace, or -1 if there is none. Makes and mends nothing. Raises OSError."""
        name = files.read_small(self._file(_INODE)).strip()
        if not name.startswith("net:["):
            return -1
        number = int(name[5:-1])
        for pid in self._candidates(monitors):
            descriptor = _descriptor_of(pid, number)
            if descriptor >= 0:
                return descriptor
        return -1

    def _candidates(self, monitors: Iterable[int]) -> Iterator[str]:
        """Yield the pids of who may hold it, the likeliest first."""
        yield from map(str, monitors)
        for pid, _start in self._users():
            yield pid
        for name in netns.PID_FILES:
            pid = files.read_small(self._file(name)).strip()
            if pid:
                yield pid

    def allow(
        self, descriptor: int | Netlink, bridge: str, *, internal: bool = False, friends: Iterable[str] = ()
    ) -> None:
        """Let a network's containers talk: see `firewall.pairs`. `descriptor` may be a socket of netfilter in it.

        Raises OSError: ENOENT if the firewall is gone.
        """
        firewall.allow(descriptor, firewall.pairs(bridge, internal=internal, friends=friends))

    def lacks(
        self, descriptor: int, bridge: str, *, internal: bool = False, friends: Iterable[str] = ()
    ) -> list[firewall.Pair] | None:
        """Return what of `allow` isn't there; None if nothing is: the firewall is gone. Raises OSError."""
        if not nftables.is_loaded(descriptor):
            return None
        there = firewall.allowed(descriptor)
        return [pair for pair in firewall.pairs(bridge, internal=internal, friends=friends) if pair not in there]

    def load_firewall(self, descriptor: int) -> None:
        """Load the firewall again: somebody has flushed it. Raises NotSupportedError, NetworkSetupError."""
        firewall.load(descriptor)

    def publish(self, descriptor: int, ports: Iterable[Published]) -> None:
        """Do nothing: the forwarder has all clients of published ports."""

    def unpublish(self, descriptor: int, ports: Iterable[Published]) -> None:
        """Do nothing, as `publish`."""

    def withdraw(self, keeps: Callable[[str], bool]) -> None:
        """Do nothing, as `publish`."""

    def wait(self) -> None:
        """Wait until the way out is ready, without the lock. Raises NetworkSetupError."""
        if not self._has_way_out:
            self.way_out.wait()

    def end(self, *, wait: bool = False) -> None:
        """Unlink it, so that its way out and the resolver end; it goes with its last descriptor. Nothing there is no
        error. `wait` waits for the way out's end. Raises OSError.
        """
        files.unlink(self._file(_INODE))
        self.way_out.abandon()
        netns.end(self.directory, wait=wait, search=self.way_out.was_started())
        for name in (_USERS, _WITHOUT_SOCKET, WAY_OUT_LOCK):
            files.unlink(self._file(name))

    def remove_bridge(self, name: str, monitors: Iterable[int] = ()) -> None:
        """Take a network's bridge away, whose definition goes next; nothing there is no error. Raises OSError.

        Its rights go at once: another network can get its name. The kernel takes 30 to 70 ms for the device, in the
        background: that process has the lock, too, so who comes meanwhile finds the bridge gone. A bridge that nobody
        uses stays until then, or until the namespace ends: it costs nothing, and its end would cost a container's.
        """
        descriptor = self.find(monitors)
        if descriptor < 0:
            return
        try:
            self._forget(descriptor, name)
            self._remove(descriptor, lambda link: link.name == name)
        finally:
            os.close(descriptor)

    def _forget(self, descriptor: int, bridge: str) -> None:
        firewall.forget(descriptor, bridge)

    def _remove(self, descriptor: int, is_wanted: Callable[[links.Link], bool]) -> None:
        """Remove podpy's own bridges that are wanted, in the background, with the lock held until all are gone."""
        with Netlink.open(descriptor) as rt:
            names = [link.name for link in links.all_links(rt) if links.is_own(link, self.owner) and is_wanted(link)]
            if names:
                process.in_background(lambda: _remove(rt, names), keep=[self._lock, rt.fileno()])

    def _make(self, *, way_out: bool) -> int:
        self.end(wait=True)  # what a killed maker has left
        linux.make_netns(self.path, router=True)
        descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        try:
            if way_out:
                self.way_out.start(again=False)  # it gets ready meanwhile
            if not firewall.load(descriptor, is_new=True):
                files.replace(self._file(_WITHOUT_SOCKET), "")
                warn("this kernel has no nft_socket: servers on user networks see their gateway as the client")
            with Netlink.open(descriptor) as rt:
                routes.loop_back(rt, firewall.MARK, TABLE)
            self._note_user()
            files.replace(self._file(_INODE), f"net:[{os.fstat(descriptor).st_ino}]\n")
        except BaseException:
            os.close(descriptor)
            self.end()
            raise
        return descriptor

    def _mount(self, descriptor: int) -> None:
        """Mount it on its file for this process and what it starts: a program that is to join it wants a path."""
        os.close(os.open(self.path, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o600))
        found, wanted = os.stat(self.path), os.fstat(descriptor)
        if (found.st_dev, found.st_ino) != (wanted.st_dev, wanted.st_ino):
            linux.mount(f"/proc/self/fd/{descriptor}", self.path, None, linux.MS_BIND)

    def _users(self) -> list[tuple[str, int]]:
        """Return pid and start time of each podpy that is noted and alive."""
        words = files.read_small(self._file(_USERS)).split()
        noted = [(pid, int(start)) for pid, start in zip(words[::2], words[1::2], strict=False) if start.isdigit()]
        return [(pid, start) for pid, start in noted if pid.isdigit() and pids.is_alive(int(pid), start)]

    def _note_user(self) -> None:
        path, own = self._file(_USERS), os.getpid()
        line = f"{own} {pids.start_time(own)}\n"
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            if os.fstat(descriptor).st_size < _MANY_USERS:  # most of them have ended
                os.write(descriptor, line.encode())
                return
        finally:
            os.close(descriptor)
        living = [f"{pid} {start}\n" for pid, start in self._users() if pid != str(own)]
        files.replace(path, "".join([*living, line]))

    def _file(self, name: str) -> str:
        return os.path.join(self.directory, name)


def _remove(rt: Netlink, names: list[str]) -> None:
    for name in names:
        links.remove(rt, name)


def _descriptor_of(pid: str, number: int) -> int:
    """Return a descriptor of the network namespace `number` that a process has one of, or is in; -1 if it hasn't.

    Their links don't tell: what was opened through a mount is called by that one's path.
    """
    directory = f"/proc/{pid}/fd"
    try:
        paths = [f"{directory}/{name}" for name in os.listdir(directory)] + [f"/proc/{pid}/ns/net"]
    except OSError:  # it has ended, or isn't ours
        return -1
    for path in paths:
        try:
            if os.stat(path).st_ino != number:
                continue
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        except OSError:
            continue
        if _is_netns(descriptor, number):  # not another one's, after a change in between
            return descriptor
        os.close(descriptor)
    return -1


def _is_netns(descriptor: int, number: int) -> bool:
    found = os.fstat(descriptor)
    return found.st_ino == number and found.st_dev == os.stat("/proc/self/ns/net").st_dev
