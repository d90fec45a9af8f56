"""Who may talk to whom in the shared namespace: one nftables table, loaded once, and a set of pairs that changes.

    between      only from a device to one that it makes a pair with: (podman1, podman1), (podman1, out0) …; and
                 answers back
    inwards      from containers: names at their own network's gateway, ping to it, and what a forwarder's sockets wait
                 for; so no container reaches another network by the addresses of its gateway
    outwards     what leaves by the way out has that one's address
    answers      an answer to a forwarder that speaks with its client's address: see `routes.loop_back`. It counts only
                 if it comes from the bridge that leads to its sender: with CAP_NET_RAW a container sends in any name.
                 So does all that comes to addresses of the bridges
    questions    what such a forwarder says. Nothing keeps track of either: nobody filters or translates it

Rule: nft(8). Names of devices are matched as texts: a bridge may come later. The table is loaded by one `nft -f -` (3
to 6 ms); what a start adds are elements of the set `pairs` (podpy.network.bridge.nftables).
"""

from __future__ import annotations

from errno import ENOENT

from podpy.errors import NetworkSetupError
from podpy.network.bridge import nftables

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from podpy.network.bridge.netlink import Netlink

WAY_OUT = "out0"
MARK = 2
"""Of packets for a transparent socket (and the number of their routing table is 100)."""

_PAIRS = "pairs"
_TRANSPARENT = f"""
		iifname != "{WAY_OUT}" socket transparent 1 fib saddr . iif oif exists meta mark set {MARK} notrack accept
		iifname != "{WAY_OUT}" socket transparent 1 drop"""
_QUESTIONS = """
	chain questions {
		type filter hook output priority raw; policy accept;
		socket transparent 1 notrack
	}
"""
_CHAINS = f"""
	set {_PAIRS} {{
		type ifname . ifname
	}}
	chain answers {{
		type filter hook prerouting priority raw; policy accept;%s
		iifname != {{ "lo", "{WAY_OUT}" }} fib daddr type local fib saddr . iif oif missing drop
	}}
	chain between {{
		type filter hook forward priority filter; policy drop;
		ct state invalid drop
		iifname . oifname @{_PAIRS} accept
		ct state established,related oifname . iifname @{_PAIRS} accept
		reject with icmpx type host-unreachable
	}}
	chain inwards {{
		type filter hook input priority filter; policy drop;
		iifname "lo" accept
		ct state established,related accept
		ct state invalid drop
		meta mark {MARK} accept
		icmpv6 type {{ nd-neighbor-solicit, nd-neighbor-advert }} accept
		fib daddr . iif type local icmp type echo-request accept
		fib daddr . iif type local icmpv6 type echo-request accept
		fib daddr . iif type local udp dport 53 accept
		fib daddr . iif type local tcp dport 53 accept
		iifname != "{WAY_OUT}" meta l4proto tcp reject with tcp reset
		iifname != "{WAY_OUT}" reject
	}}
	chain outwards {{
		type nat hook postrouting priority srcnat; policy accept;
		oifname "{WAY_OUT}" masquerade
	}}
"""

Pair = tuple[str, str]


def load(netns: int, *, is_new: bool = False) -> bool:
    """Load the table into the network namespace of the descriptor `netns`; one that is there loses its pairs.

    `is_new`: the namespace is, and has none. Return whether the kernel can tell a transparent socket's packets
    (nft_socket); without, the rule for them isn't there. Raises NotSupportedError without nft, NetworkSetupError with
    nft's own words.
    """
    if not (failed := nftables.load(netns, _CHAINS % _TRANSPARENT + _QUESTIONS, is_new=is_new)):
        return True
    # An old kernel looks for sockets in what comes only.
    if not nftables.load(netns, _CHAINS % _TRANSPARENT, is_new=is_new):
        return True
    if nftables.load(netns, _CHAINS % "", is_new=is_new):
        raise NetworkSetupError(
            f"the firewall of bridge networks can't be set up: {failed}", hint="podpy system doctor"
        )
    return False


def pairs(bridge: str, *, internal: bool = False, friends: Iterable[str] = ()) -> list[Pair]:
    """Return who a network's bridge may talk to: itself, the way out, and other bridges that aren't isolated.

    `internal`: it has no way out. `friends`: the bridges of those networks that are as little isolated as this one.
    """
    found = [(bridge, bridge)]
    found += [] if internal else [(bridge, WAY_OUT)]
    for other in friends:
        found += [(bridge, other), (other, bridge)]
    return found


def allow(netns: int | Netlink, wanted: Iterable[Pair]) -> None:
    """Let devices talk, each pair in this direction (answers go back anyway). Those who may already are no error.

    `netns` may be a socket of netfilter in the namespace. Raises OSError: ENOENT without the table.
    """
    nftables.add(netns, _PAIRS, [(nftables.names(*pair), b"") for pair in wanted])


def forbid(netns: int, wanted: Iterable[Pair]) -> None:
    """Take the right back; who hasn't got it is no error. What is connected stays so. Raises OSError."""
    nftables.remove(netns, _PAIRS, [nftables.names(*pair) for pair in wanted])


def forget(netns: int, bridge: str) -> None:
    """Take back every right of a bridge, and every other's towards it; no table is no error. Raises OSError."""
    try:
        forbid(netns, [pair for pair in allowed(netns) if bridge in pair])
    except OSError as error:
        if error.errno != ENOENT:
            raise


def allowed(netns: int) -> list[Pair]:
    """Return who may talk to whom. Raises OSError."""
    found = [nftables.devices(key) for key, _ in nftables.elements(netns, _PAIRS)]
    return [(source, target) for source, target in found]
