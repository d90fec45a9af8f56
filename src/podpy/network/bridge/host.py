"""Bridges in the host's own network namespace: podpy as root.

There is nothing to make but the table (podpy.network.bridge.host_firewall), no way out to start, and nothing that holds
it: runroot/networks has `lock`, `names`, and `netns`, an empty file whose unlink tells the resolver that the last
container has ended. The bridges and the table go with that one, in the background.

The host forwards from then on (ip-sysctl.rst, ip_forward), as after any container engine's start. A host that takes its
IPv6 routes from advertisements goes on doing so: a router does that only with accept_ra=2.
"""

from __future__ import annotations

import os

from podpy import files
from podpy.errors import NetworkSetupError
from podpy.network.bridge import host_firewall, nftables
from podpy.network.bridge.namespace import SharedNamespace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_FORWARD_V4 = "/proc/sys/net/ipv4/ip_forward"
_V6 = "/proc/sys/net/ipv6/conf"
_OWN = "/proc/self/ns/net"


class HostNamespace(SharedNamespace):
    """The host's, with the same face as the shared one."""

    @property
    def has_transparent_sockets(self) -> bool:
        """Whether a forwarder may speak with its clients' addresses: here ports are published by `publish`."""
        return False

    def open(self, monitors: Iterable[int] = ()) -> int:
        """Return a descriptor of the namespace, which forwards and has its table. Raises OSError, NetworkSetupError,
        NotSupportedError without nft.
        """
        descriptor = self.find(monitors)
        try:
            if not os.path.exists(self.path) or not nftables.is_loaded(descriptor):
                _forward()
                host_firewall.load(descriptor)
                files.replace(self.path, "")
        except BaseException:
            os.close(descriptor)
            raise
        return descriptor

    def find(self, monitors: Iterable[int] = ()) -> int:
        """Return a descriptor of the namespace. Raises OSError."""
        return os.open(_OWN, os.O_RDONLY | os.O_CLOEXEC)

    def allow(self, descriptor: int, bridge: str, *, internal: bool = False, friends: Iterable[str] = ()) -> None:
        """Let a network's containers talk. Raises OSError: ENOENT if somebody has flushed the table."""
        host_firewall.allow(descriptor, bridge, internal=internal, friends=friends)

    def publish(self, descriptor: int, bridges: Iterable[str], ports: Iterable[host_firewall.Published]) -> None:
        """Send what comes for ports of the host to a container on these bridges. Raises OSError: EEXIST for a port that
        another container has.
        """
        for bridge in bridges:  # the host's own loopback clients have 127.0.0.1, which no device else lets out
            _write(f"/proc/sys/net/ipv4/conf/{bridge}/route_localnet", "1")
        host_firewall.publish(descriptor, ports)

    def wait(self) -> None:
        """Wait for nothing: the host has its way out."""

    def end(self, *, wait: bool = False) -> None:
        """Take the bridges and the table away, in the background. Nothing there is no error. Raises OSError."""
        files.unlink(self.path)
        descriptor = self.find()
        try:
            nftables.unload(descriptor)
            self._remove(descriptor, lambda link: True)
        finally:
            os.close(descriptor)

    def _forget(self, descriptor: int, bridge: str) -> None:
        host_firewall.forget(descriptor, bridge)


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
        with open(path, "w", encoding="ascii") as file:
            file.write(value)
    except OSError:
        return False
    return True
