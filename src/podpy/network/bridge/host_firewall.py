"""The firewall of bridges in the host's own namespace (podpy as root): a table of our own beside everybody else's.

Nothing is said about devices that aren't ours: their packets pass, whatever other tables say of them (docker's,
firewalld's). What those drop stays dropped, also of ours.

    bridges, outward    the bridges, and those of them that have a way out (not internal)
    itself, pairs       who may talk: (podman1, podman1); bridges that aren't isolated from each other
    published4, …       `-p`: (protocol, port) or (address, protocol, port) -> (container's address, port)

    senders      who sends to the host or by published ports, to them or answering, does so in no other network's name
    between      of a bridge only to itself, to its friends, and outwards; to a bridge what is published
    outwards     has the host's address. Who comes to a container by its published port from its own network has the
                 bridge's: else the answer wouldn't come by here
    arriving, from_host   published ports of the host's addresses, but for the loopback device's: what has 127.0.0.1 or
                 ::1 for its sender can't leave the host (ip-sysctl.rst, route_localnet, would open it to the bridges,
                 and IPv6 has no such thing): the forwarder has its clients

Each run root has a table of its own. Rule: nft(8), "NAT STATEMENTS", "MAPS".
"""

from __future__ import annotations

from _struct import pack
from errno import EEXIST

from podpy.errors import NetworkSetupError
from podpy.network.bridge import conntrack, nftables

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_PROTOCOLS = {"tcp": 6, "udp": 17, "sctp": 132}
_ALL = ("", "0.0.0.0", "::")
_CHAINS = """
	set bridges {
		type ifname
	}
	set outward {
		type ifname
	}
	set itself {
		type ifname . ifname
	}
	set pairs {
		type ifname . ifname
	}
	map published4 {
		type inet_proto . inet_service : ipv4_addr . inet_service
	}
	map published4_at {
		type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service
	}
	map published6 {
		type inet_proto . inet_service : ipv6_addr . inet_service
	}
	map published6_at {
		type ipv6_addr . inet_proto . inet_service : ipv6_addr . inet_service
	}
	chain published {
		dnat ip to ip daddr . meta l4proto . th dport map @published4_at
		dnat ip to meta l4proto . th dport map @published4
		dnat ip6 to ip6 daddr . meta l4proto . th dport map @published6_at
		dnat ip6 to meta l4proto . th dport map @published6
	}
	chain senders {
		type filter hook prerouting priority mangle; policy accept;
		iifname @bridges fib daddr type local fib saddr . iif oif missing drop
		iifname @bridges ct status dnat fib saddr . iif oif missing drop
	}
	chain arriving {
		type nat hook prerouting priority dstnat; policy accept;
		fib daddr type local jump published
	}
	chain from_host {
		type nat hook output priority -100; policy accept;
		oifname "lo" ip daddr 127.0.0.0/8 accept
		oifname "lo" ip6 daddr ::1 accept
		fib daddr type local jump published
	}
	chain between {
		type filter hook forward priority filter; policy accept;
		iifname != @bridges oifname != @bridges accept
		ct state established,related accept
		ct state invalid drop
		ct status dnat accept
		iifname . oifname @itself accept
		iifname . oifname @pairs accept
		iifname @outward oifname != @bridges accept
		reject with icmpx type host-unreachable
	}
	chain outwards {
		type nat hook postrouting priority srcnat; policy accept;
		iifname @outward oifname != @bridges masquerade
		ct status dnat iifname . oifname @itself masquerade
	}
"""

Published = tuple[str, str, int, str, int]
"""(protocol, host's address or an empty text, host's port, container's address, its port)"""


class HostFirewall:
    """The table of one run root. `netns`: a descriptor of the network namespace that it is in."""

    def __init__(self, netns: int, table: str) -> None:
        self.netns = netns
        self.table = table

    def load(self) -> None:
        """Load the table; one that is there loses what its sets had. Raises NotSupportedError, NetworkSetupError."""
        failed = nftables.load(self.netns, _CHAINS, self.table)
        if failed:
            raise NetworkSetupError(
                f"the firewall of bridge networks can't be set up: {failed}", hint="podpy system doctor"
            )

    def is_loaded(self) -> bool:
        """Return whether it is there. Raises OSError."""
        return nftables.is_loaded(self.netns, self.table)

    def unload(self) -> None:
        """Remove it; nothing there is no error. Raises OSError."""
        nftables.unload(self.netns, self.table)

    def lacks(self, bridge: str, *, internal: bool = False, friends: Iterable[str] = ()) -> list[tuple[str, str]]:
        """Return which of these rights a bridge hasn't got, as (from, to). Raises OSError."""
        pairs = [pair for other in friends for pair in ((bridge, other), (other, bridge))]
        wanted = [("bridges", (bridge,)), ("itself", (bridge, bridge)), *(("pairs", pair) for pair in pairs)]
        wanted += [] if internal else [("outward", (bridge,))]
        there = {name: {key for key, _ in self._elements(name)} for name in dict(wanted)}
        missing = [devices for name, devices in wanted if nftables.names(*devices) not in there[name]]
        return [(devices[0], devices[1] if len(devices) > 1 else "outside") for devices in missing]

    def allow(self, bridge: str, *, internal: bool = False, friends: Iterable[str] = ()) -> None:
        """Let a bridge talk with itself, outwards unless `internal`, and with its friends. Raises OSError."""
        pairs = [pair for other in friends for pair in ((bridge, other), (other, bridge))]
        self._add("bridges", [nftables.names(bridge)])
        self._add("itself", [nftables.names(bridge, bridge)])
        if pairs:
            self._add("pairs", [nftables.names(*pair) for pair in pairs])
        if not internal:
            self._add("outward", [nftables.names(bridge)])

    def forget(self, bridge: str) -> None:
        """Take back what `allow` has given a bridge, in all its forms; no table is no error. Raises OSError."""
        if not self.is_loaded():
            return
        pairs = [key for key, _ in self._elements("pairs") if bridge in nftables.devices(key)]
        self._remove("pairs", pairs)
        self._remove("itself", [nftables.names(bridge, bridge)])
        for name in ("outward", "bridges"):
            self._remove(name, [nftables.names(bridge)])

    def publish(self, ports: Iterable[Published]) -> None:
        """Send what comes for ports of the host to a container, from now on. Raises OSError: ENOENT without the table.

        The caller has bound them: what another container had there is left of one that has ended.
        """
        wanted: dict[str, list[tuple[bytes, bytes]]] = {}
        for port in ports:
            name, key, value = _element(port)
            wanted.setdefault(name, []).append((key, value))
        for name, some in wanted.items():
            try:
                nftables.add(self.netns, name, some, self.table)
            except OSError as error:
                if error.errno != EEXIST:
                    raise
                self._remove(name, [key for key, _ in some])
                nftables.add(self.netns, name, some, self.table)

    def unpublish(self, ports: Iterable[Published]) -> None:
        """Send what comes for these ports no longer; one that isn't published is no error. Raises OSError."""
        for port in ports:
            name, key, _ = _element(port)
            self._remove(name, [key])

    def withdraw(self, keeps: Callable[[str], bool]) -> None:
        """Publish nothing any more of the containers whose addresses `keeps` refuses, and forget their connections.

        Raises OSError.
        """
        from _socket import AF_INET, AF_INET6, inet_ntop

        gone: set[str] = set()
        for family, length, version in ((AF_INET, 4, "4"), (AF_INET6, 16, "6")):
            for name in (f"published{version}", f"published{version}_at"):
                found = [(key, inet_ntop(family, value[:length])) for key, value in self._elements(name)]
                self._remove(name, [key for key, address in found if not keeps(address)])
                gone |= {address for _, address in found if not keeps(address)}
        for address in gone:
            conntrack.forget(self.netns, address)

    def _add(self, name: str, keys: list[bytes]) -> None:
        nftables.add(self.netns, name, [(key, b"") for key in keys], self.table)

    def _remove(self, name: str, keys: list[bytes]) -> None:
        nftables.remove(self.netns, name, keys, self.table)

    def _elements(self, name: str) -> list[tuple[bytes, bytes]]:
        return nftables.elements(self.netns, name, self.table)


def _element(port: Published) -> tuple[str, bytes, bytes]:
    """Return the map that a published port belongs to, and its key and value there."""
    from _socket import AF_INET, AF_INET6, inet_pton

    protocol, host, host_port, address, container_port = port
    family = 6 if ":" in address else 4
    key = pack("=B3x", _PROTOCOLS[protocol]) + pack(">H2x", host_port)
    value = inet_pton(AF_INET6 if family == 6 else AF_INET, address) + pack(">H2x", container_port)
    if host in _ALL:
        return f"published{family}", key, value
    return f"published{family}_at", inet_pton(AF_INET6 if family == 6 else AF_INET, host) + key, value
