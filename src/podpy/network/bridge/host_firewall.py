"""The firewall of bridges in the host's own namespace (podpy as root): a table of our own beside everybody else's.

Nothing is said about devices that aren't ours: their packets pass, whatever other tables say of them (docker's,
firewalld's). What those drop stays dropped, also of ours.

    bridges, outward    the bridges, and those of them that have a way out (not internal)
    itself, pairs       who may talk: (podman1, podman1); bridges that aren't isolated from each other
    published4, …       `-p`: (protocol, port) or (address, protocol, port) -> (container's address, port)

    between      of a bridge only to itself, to its friends, and outwards; to a bridge what is published
    outwards     has the host's address. Who comes to a container by its published port from its own network has the
                 bridge's: else the answer wouldn't come by here; so has the host's loopback device
    arriving, from_host   published ports of the host's addresses
    local        a bridge doesn't reach the loopback device, which route_localnet would let in

Rule: nft(8), "NAT STATEMENTS", "MAPS"; ip-sysctl.rst, route_localnet.
"""

from __future__ import annotations

from _struct import pack

from podpy.errors import NetworkSetupError
from podpy.network.bridge import nftables

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

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
	chain arriving {
		type nat hook prerouting priority dstnat; policy accept;
		fib daddr type local jump published
	}
	chain from_host {
		type nat hook output priority -100; policy accept;
		fib daddr type local jump published
	}
	chain local {
		type filter hook prerouting priority raw; policy accept;
		iifname @bridges ip daddr 127.0.0.0/8 drop
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
		ip saddr 127.0.0.0/8 oifname @bridges masquerade
	}
"""

Published = tuple[str, str, int, str, int]
"""(protocol, host's address or an empty text, host's port, container's address, its port)"""


def load(netns: int) -> None:
    """Load the table; one that is there loses what its sets had. Raises NotSupportedError, NetworkSetupError."""
    failed = nftables.load(netns, _CHAINS)
    if failed:
        raise NetworkSetupError(
            f"the firewall of bridge networks can't be set up: {failed}", hint="podpy system doctor"
        )


def allow(netns: int, bridge: str, *, internal: bool = False, friends: Iterable[str] = ()) -> None:
    """Let a bridge talk with itself, outwards unless `internal`, and with its friends. Raises OSError."""
    pairs = [pair for other in friends for pair in ((bridge, other), (other, bridge))]
    nftables.add(netns, "bridges", [(nftables.names(bridge), b"")])
    nftables.add(netns, "itself", [(nftables.names(bridge, bridge), b"")])
    if pairs:
        nftables.add(netns, "pairs", [(nftables.names(*pair), b"") for pair in pairs])
    if not internal:
        nftables.add(netns, "outward", [(nftables.names(bridge), b"")])


def forget(netns: int, bridge: str) -> None:
    """Take back what `allow` has given a bridge, in all its forms; no table is no error. Raises OSError."""
    if not nftables.is_loaded(netns):
        return
    pairs = [key for key, _ in nftables.elements(netns, "pairs") if bridge in nftables.devices(key)]
    nftables.remove(netns, "pairs", pairs)
    nftables.remove(netns, "itself", [nftables.names(bridge, bridge)])
    for name in ("outward", "bridges"):
        nftables.remove(netns, name, [nftables.names(bridge)])


def publish(netns: int, ports: Iterable[Published]) -> None:
    """Send what comes for a port of the host to a container. Raises OSError: EEXIST for one that another one has."""
    wanted: dict[str, list[tuple[bytes, bytes]]] = {}
    for port in ports:
        name, key, value = _element(port)
        wanted.setdefault(name, []).append((key, value))
    done: list[tuple[str, list[tuple[bytes, bytes]]]] = []
    try:
        for name, some in wanted.items():
            nftables.add(netns, name, some)
            done.append((name, some))
    except OSError:
        for name, some in done:
            nftables.remove(netns, name, [key for key, _ in some])
        raise


def withdraw(netns: int, container: Iterable[str]) -> None:
    """Publish nothing any more of a container with these addresses. Raises OSError."""
    from _socket import AF_INET, AF_INET6, inet_pton

    for address in container:
        family = 6 if ":" in address else 4
        raw = inet_pton(AF_INET6 if family == 6 else AF_INET, address)
        for name in (f"published{family}", f"published{family}_at"):
            found = nftables.elements(netns, name)
            nftables.remove(netns, name, [key for key, value in found if value.startswith(raw)])


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
