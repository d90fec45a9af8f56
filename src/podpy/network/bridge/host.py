"""Bridges in the host's own network namespace: podpy as root.

There is nothing to make but the table (podpy.network.bridge.host_firewall), no way out to start, and nothing that holds
it: runroot/networks has `lock`, `names`, and `netns`, an empty file whose unlink tells the resolver that the last
container has ended. The bridges and the table go with that one, in the background. Each run root has a table of its
own, and bridges of its own, whose aliases have the table's name.

With `firewall_driver = "none"` in containers.conf (containers.conf(5)) there is no table: published ports are the
forwarder's alone, and whether containers get out is up to whoever manages the firewall.

The host forwards from then on (ip-sysctl.rst, ip_forward), as after any container engine's start. A host that takes its
IPv6 routes from advertisements goes on doing so: a router does that only with accept_ra=2.
"""

from __future__ import annotations

import os

from podpy import digests, files
from podpy.errors import NetworkSetupError
from podpy.network.bridge import links
from podpy.network.bridge.host_firewall import HostFirewall
from podpy.network.bridge.namespace import SharedNamespace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from podpy.config.containers_conf import ContainersConf
    from podpy.config.paths import Paths
    from podpy.network.bridge.host_firewall import Published
    from podpy.network.bridge.netlink import Netlink

_FORWARD_V4 = "/proc/sys/net/ipv4/ip_forward"
_V6 = "/proc/sys/net/ipv6/conf"
_OWN = "/proc/self/ns/net"
_MTU = 1500  # Ethernet's: what goes through a bridge goes on by wires


class HostNamespace(SharedNamespace):
    """The host's, with the same face as the shared one."""

    is_host = True
    mtu = _MTU

    def __init__(self, paths: Paths, conf: ContainersConf) -> None:
        super().__init__(paths, conf)
        self.owner = f"{links.OWNER}_{digests.sha256(os.fsencode(paths.runroot))[7:15]}"
        self._has_firewall = conf.firewall_driver != "none"

    @property
    def has_transparent_sockets(self) -> bool:
        """Whether a forwarder may speak with its clients' addresses: it serves those here that `publish` can't."""
        return False

    def leaves_by_new_pasta(self, cache: str) -> bool:
        """Return False: it has no way out of its own."""
        return False

    def open(self, monitors: Iterable[int] = (), *, way_out: bool = True) -> int:
        """Return a descriptor of the namespace, which forwards and has its table. Raises OSError, NetworkSetupError,
        NotSupportedError without nft.
        """
        descriptor = self.find(monitors)
        try:
            firewall = self._firewall(descriptor)
            is_new = not os.path.exists(self.path)
            if is_new or (self._has_firewall and not firewall.is_loaded()):
                _forward()
                if self._has_firewall:
                    firewall.load()
                files.replace(self.path, "")
                self.was_flushed = not is_new
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    def find(self, monitors: Iterable[int] = ()) -> int:
        """Return a descriptor of the namespace. Raises OSError."""
        return os.open(_OWN, os.O_RDONLY | os.O_CLOEXEC)

    def allow(
        self, descriptor: int | Netlink, bridge: str, *, internal: bool = False, friends: Iterable[str] = ()
    ) -> None:
        """Let a network's containers talk. Raises OSError: ENOENT if somebody has flushed the table."""
        if self._has_firewall:
            netns = descriptor if isinstance(descriptor, int) else descriptor.netns
            self._firewall(netns).allow(bridge, internal=internal, friends=friends)

    def lacks(
        self, descriptor: int, bridge: str, *, internal: bool = False, friends: Iterable[str] = ()
    ) -> list[tuple[str, str]] | None:
        """Return what of `allow` isn't there; None if nothing is: the firewall is gone. Raises OSError."""
        if not self._has_firewall:
            return []
        table = self._firewall(descriptor)
        return table.lacks(bridge, internal=internal, friends=friends) if table.is_loaded() else None

    def load_firewall(self, descriptor: int) -> None:
        """Load the table again. Raises NotSupportedError, NetworkSetupError."""
        self._firewall(descriptor).load()

    def publish(self, descriptor: int, ports: Iterable[Published]) -> None:
        """Send what comes for ports of the host, which the caller has bound, to a container. Raises OSError."""
        if self._has_firewall:
            self._firewall(descriptor).publish(ports)

    def unpublish(self, descriptor: int, ports: Iterable[Published]) -> None:
        """Send what comes for these ports no longer; connections that are there live on. Raises OSError."""
        if self._has_firewall:
            self._firewall(descriptor).unpublish(ports)

    def withdraw(self, keeps: Callable[[str], bool]) -> None:
        """Publish nothing any more of the containers whose addresses `keeps` refuses. Raises OSError."""
        descriptor = self.find()
        try:
            firewall = self._firewall(descriptor)
            if firewall.is_loaded():
                firewall.withdraw(keeps)
        finally:
            os.close(descriptor)

    def wait(self) -> None:
        """Wait for nothing: the host has its way out."""

    def end(self, *, wait: bool = False) -> None:
        """Take the bridges and the table away, in the background. Nothing there is no error. Raises OSError."""
        descriptor = self.find()
        try:
            self._firewall(descriptor).unload()
            self._remove(descriptor, lambda link: True)
        finally:
            os.close(descriptor)
        files.unlink(self.path)

    def _forget(self, descriptor: int, bridge: str) -> None:
        self._firewall(descriptor).forget(bridge)

    def _firewall(self, descriptor: int) -> HostFirewall:
        return HostFirewall(descriptor, self.owner)


def _forward() -> None:
    """Make the host a router. Raises NetworkSetupError where it can't be one."""
    if not _write(_FORWARD_V4, "1"):
        raise NetworkSetupError(
            "bridge networks need net.ipv4.ip_forward, which can't be set here", hint="sysctl -w net.ipv4.ip_forward=1"
        )
    if not os.path.isdir(_V6) or files.read_small(f"{_V6}/all/forwarding").strip() == "1":
        return
    for device in os.listdir(_V6):
        path = f"{_V6}/{device}/accept_ra"
        if files.read_small(path).strip() == "1":
            _write(path, "2")
    _write(f"{_V6}/all/forwarding", "1")


def _write(path: str, value: str) -> bool:
    """Return whether a setting has this value, now or before."""
    if files.read_small(path).strip() == value:
        return True
    try:
        with open(path, "w", encoding="utf-8") as file:
            file.write(value)
    except OSError:
        return False
    return True
