"""Who may talk to whom in the shared namespace: one nftables table, loaded once, and a set of pairs that changes.

The table is the text below, by one `nft -f -` (3 to 6 ms). What a start adds are elements of the set `pairs`, by one
netlink batch (0.02 ms; nft itself would take 2 to 4).

    between      only from a device to one that it makes a pair with: (podman1, podman1), (podman1, out0) …
    inwards      from containers: names at their own network's gateway, ping to it, and what a forwarder's sockets wait
                 for; so no container reaches another network by the addresses of its gateway
    outwards     what leaves by the way out has that one's address
    answers      an answer to a forwarder that speaks with its client's address: see `links.loop_back`

Rule: nft(8). Names of devices are matched as texts: a bridge may come later.
"""

from __future__ import annotations

import os
from _struct import pack
from errno import ENOENT

from podpy import process
from podpy.errors import NetworkSetupError, NotSupportedError
from podpy.network.bridge.netlink import (
    NETLINK_NETFILTER,
    NLM_F_DUMP,
    Netlink,
    attribute,
    attributes,
    nested,
    parse,
    text,
)
from podpy.rootless.programs import which

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

TABLE = "podpy"
WAY_OUT = "out0"
MARK = 2
"""Of packets for a transparent socket (and the number of their routing table is 100)."""

_TRANSPARENT = f'iifname != "{WAY_OUT}" socket transparent 1 meta mark set {MARK}'
_RULESET = f"""
table inet {TABLE} {{
	set pairs {{
		type ifname . ifname
	}}
	chain answers {{
		type filter hook prerouting priority mangle; policy accept;
		%s
	}}
	chain between {{
		type filter hook forward priority filter; policy drop;
		ct state established,related accept
		ct state invalid drop
		iifname . oifname @pairs accept
		reject with icmpx type admin-prohibited
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
}}
"""

# linux/netfilter/nfnetlink.h, linux/netfilter/nf_tables.h
_BATCH_BEGIN, _BATCH_END = 16, 17
_NFNL_SUBSYS_NFTABLES, _NFPROTO_INET = 10, 1
_NFT_MSG_NEWSETELEM, _NFT_MSG_GETSETELEM, _NFT_MSG_DELSETELEM = 12, 13, 14
_NFGENMSG_SIZE = 4
_NFTA_SET_ELEM_LIST_TABLE, _NFTA_SET_ELEM_LIST_SET, _NFTA_SET_ELEM_LIST_ELEMENTS = 1, 2, 3
_NFTA_LIST_ELEM, _NFTA_SET_ELEM_KEY, _NFTA_DATA_VALUE = 1, 1, 1
_NLM_F_CREATE = 0x400
_IFNAMSIZ = 16

Pair = tuple[str, str]


def load(netns: int) -> bool:
    """Load the table into the network namespace of the descriptor `netns`, which has none of this name.

    Return whether the kernel can tell a transparent socket's packets (nft_socket); without, the rule for them isn't
    there. Raises NotSupportedError without nft, NetworkSetupError with nft's own words.
    """
    failed = _run(netns, _RULESET % _TRANSPARENT)
    if not failed:
        return True
    if _run(netns, _RULESET % ""):
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


def allow(netns: int, wanted: Iterable[Pair]) -> None:
    """Let devices talk, each pair in this direction (answers go back anyway). Those who may already are no error."""
    with Netlink.open(netns, NETLINK_NETFILTER) as netfilter:
        _batch(netfilter, _NFT_MSG_NEWSETELEM, _NLM_F_CREATE, wanted)
        netfilter.send()


def forbid(netns: int, wanted: Iterable[Pair]) -> None:
    """Take the right back; who hasn't got it is no error. What is connected stays so."""
    with Netlink.open(netns, NETLINK_NETFILTER) as netfilter:
        for pair in wanted:  # each one a transaction: one that isn't there undoes it
            _batch(netfilter, _NFT_MSG_DELSETELEM, 0, [pair])
            netfilter.send(allowed=(ENOENT,))


def forget(netns: int, bridge: str) -> None:
    """Take back every right of a bridge, and every other's towards it. Raises OSError."""
    forbid(netns, [pair for pair in allowed(netns) if bridge in pair])


def allowed(netns: int) -> list[Pair]:
    """Return who may talk to whom. Raises OSError."""
    body = pack("=BBH", _NFPROTO_INET, 0, 0)
    body += text(_NFTA_SET_ELEM_LIST_TABLE, TABLE) + text(_NFTA_SET_ELEM_LIST_SET, "pairs")
    with Netlink.open(netns, NETLINK_NETFILTER) as netfilter:
        answers = netfilter.ask(_NFNL_SUBSYS_NFTABLES << 8 | _NFT_MSG_GETSETELEM, NLM_F_DUMP, body)
    found = []
    for answer in answers:
        elements = parse(answer, _NFGENMSG_SIZE).get(_NFTA_SET_ELEM_LIST_ELEMENTS, b"")
        for _kind, element in attributes(elements):
            key = parse(parse(element)[_NFTA_SET_ELEM_KEY])[_NFTA_DATA_VALUE]
            found.append((_name(key[:_IFNAMSIZ]), _name(key[_IFNAMSIZ:])))
    return found


def _run(netns: int, ruleset: str) -> str:
    """Return what nft said if it failed, else an empty text."""
    nft, nsenter = which("nft"), which("nsenter")
    if not nft or not nsenter:
        name, package = ("nft", "nftables") if not nft else ("nsenter", "util-linux")
        raise NotSupportedError(
            f"bridge networks need {name}, which isn't installed", hint=f"sudo apt install {package}"
        )
    reading, writing = process.pipe()
    os.write(writing, ruleset.encode())  # less than a pipe holds
    os.close(writing)
    try:
        command = [nsenter, f"--net=/proc/self/fd/{netns}", nft, "-f", "-"]
        done = process.run(command, environment=process.tool_environment(), stdin=reading, keep=[netns])
    finally:
        os.close(reading)
    return "" if done.code == 0 else done.stderr.decode(errors="replace").strip().partition("\n")[0] or str(done.code)


def _batch(netfilter: Netlink, kind: int, flags: int, wanted: Iterable[Pair]) -> None:
    """Gather a transaction of one request about elements of the set."""
    edge = pack(">BBH", 0, 0, _NFNL_SUBSYS_NFTABLES)
    elements = [
        nested(_NFTA_LIST_ELEM, nested(_NFTA_SET_ELEM_KEY, attribute(_NFTA_DATA_VALUE, _key(p)))) for p in wanted
    ]
    body = (
        pack("=BBH", _NFPROTO_INET, 0, 0)
        + text(_NFTA_SET_ELEM_LIST_TABLE, TABLE)
        + text(_NFTA_SET_ELEM_LIST_SET, "pairs")
        + nested(_NFTA_SET_ELEM_LIST_ELEMENTS, *elements)
    )
    netfilter.add(_BATCH_BEGIN, 0, edge, acknowledged=False)
    netfilter.add(_NFNL_SUBSYS_NFTABLES << 8 | kind, flags, body)
    netfilter.add(_BATCH_END, 0, edge, acknowledged=False)


def _name(raw: bytes) -> str:
    return raw.rstrip(b"\0").decode(errors="replace")


def _key(pair: Pair) -> bytes:
    return b"".join(name.encode().ljust(_IFNAMSIZ, b"\0") for name in pair)
