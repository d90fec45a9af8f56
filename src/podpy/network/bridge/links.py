"""Devices of bridge networks: the bridge, a container's plug into it, its addresses (its routes: `routes`).

A plug is a veth(4) pair: one end is a port of the bridge in the shared namespace, the other one is `ethN` in the
container's. Both go when the container's namespace does; nobody waits for that, and no name is used twice.

All is safe to repeat: what a killed call has left half is completed. A bridge's alias says what it was completed for
(its addresses and options), so a whole one costs one question. Figures: a bridge 0.25 ms, a plug 0.6 ms, to take one
away while the container runs 10 to 50 ms (the kernel waits until no CPU uses it any more).
"""

from __future__ import annotations

import os
from _struct import Struct, pack, unpack_from
from errno import EEXIST, ENODEV, EOPNOTSUPP

from podpy.errors import InUseError, NetworkSetupError, NotSupportedError
from podpy.network.bridge import routes
from podpy.network.bridge.netlink import (
    NEW,
    NLM_F_CREATE,
    NLM_F_DUMP,
    Netlink,
    attribute,
    nested,
    parse,
    text,
    u32,
)
from podpy.network.bridge.routes import AF_INET6, METRIC, Route, network
from podpy.record import Record

DEFAULT_MTU = 65520
"""Bytes. No wire is behind a bridge: bigger packets are fewer (twice what 1500 reaches between two containers)."""

OWNER = "podpy"
"""How the alias of a bridge of ours begins, in a namespace of ours."""

AF_UNSPEC, AF_BRIDGE = 0, 7

# linux/rtnetlink.h
RTM_NEWLINK, RTM_DELLINK, RTM_GETLINK, RTM_SETLINK = 16, 17, 18, 19
RTM_NEWADDR, RTM_DELADDR, RTM_GETADDR = 20, 21, 22
_IFLA_ADDRESS, _IFLA_IFNAME, _IFLA_MTU, _IFLA_MASTER = 1, 3, 4, 10
_IFLA_LINKINFO, _IFLA_IFALIAS, _IFLA_NET_NS_FD, _IFLA_EXT_MASK = 18, 20, 28, 29
_IFLA_NUM_TX_QUEUES, _IFLA_NUM_RX_QUEUES = 31, 32
_IFLA_INFO_KIND, _IFLA_INFO_DATA, _VETH_INFO_PEER = 1, 2, 1
_IFLA_BR_VLAN_FILTERING, _IFLA_BR_VLAN_DEFAULT_PVID = 7, 39
_SKIP_STATISTICS = 8
_IFA_ADDRESS, _IFA_LOCAL = 1, 2
_IFA_F_NODAD = 2
_RT_SCOPE_LINK = 253
_RTNLGRP_LINK = 1
_PATIENCE = 2000  # milliseconds without an event; a namespace takes 25 to 50 to go
_IFF_UP = 1

LINK = Struct("=BxHiII")  # family, hardware type, index, flags, which of them
_ADDRESS = Struct("=BBBBI")  # family, prefix length, flags, scope, index
_INTERFACE = Struct("=16si20x")  # struct ifreq: a name, an index, room for other answers
_SIOCGIFINDEX = 0x8933


class Bridge(Record):
    """A bridge as it is to be."""

    name: str
    addresses: list[str] = []  # with their prefix lengths: 10.89.0.1/24
    mtu: int = DEFAULT_MTU
    vlan: int = 0  # its ports, and itself, are in this VLAN; 0: it knows of none
    vrf: str = ""  # a VRF device that is there
    owner: str = OWNER  # whose it is: the first word of its alias


class Plug(Record):
    """A container's end of a network, as it is to be. `gateways`: next hops of the default routes, one per family."""

    interface: str  # inside: eth0
    addresses: list[str] = []  # with their prefix lengths: 10.89.0.2/24
    gateways: list[str] = []
    routes: list[Route] = []
    mac: str = ""  # 52:76:3c:cb:59:31; empty: a random one
    mtu: int = DEFAULT_MTU
    metric: int = METRIC  # of the default routes
    host_interface: str = ""  # the bridge's port; empty: vethHEX


class Link(Record):
    """A device that is there."""

    index: int
    name: str
    mac: str
    mtu: int
    up: bool
    master: int  # index of the bridge whose port it is; 0: none's
    alias: str
    kind: str  # bridge, veth, tun; empty for a loopback device and hardware


def find(rt: Netlink, name: str) -> Link | None:
    """Return the device of this name in the socket's namespace. Raises OSError."""
    body = LINK.pack(AF_UNSPEC, 0, 0, 0, 0) + u32(_IFLA_EXT_MASK, _SKIP_STATISTICS) + text(_IFLA_IFNAME, name)
    try:
        return _link(rt.ask(RTM_GETLINK, 0, body)[0])
    except OSError as error:
        if error.errno == ENODEV:
            return None
        raise


def all_links(rt: Netlink) -> list[Link]:
    """Return every device in the socket's namespace, in the order of their indices. Raises OSError."""
    body = LINK.pack(AF_UNSPEC, 0, 0, 0, 0) + u32(_IFLA_EXT_MASK, _SKIP_STATISTICS)
    return [_link(answer) for answer in rt.ask(RTM_GETLINK, NLM_F_DUMP, body)]


def addresses(rt: Netlink, index: int) -> list[str]:
    """Return a device's addresses with their prefix lengths, but link-local ones. Raises OSError."""
    return [shown for shown, _body in _addresses(rt, index)]


def make_bridge(rt: Netlink, bridge: Bridge, *, trusting: bool = True) -> int:
    """Make a bridge, or complete the one that is there; return its index.

    `trusting`: one that is up and says that it is complete is so; somebody else may have changed it meanwhile.
    Raises OSError, InUseError if the name is another device's, or somebody else's bridge, NetworkSetupError without the
    VRF, NotSupportedError for a kernel without bridges, or VLANs on them.
    """
    wanted = _description(bridge)
    found = find(rt, bridge.name)
    if found is not None and found.kind != "bridge":
        raise InUseError(f"interface {bridge.name} is there and is no bridge: it is a {found.kind or 'device'}")
    if found is not None and bridge.owner != OWNER and not is_own(found, bridge.owner):  # OWNER: nobody else is there
        raise InUseError(
            f"bridge {bridge.name} is there and is somebody else's",
            hint=f"Who is on it: ip link show master {bridge.name}. Another network: podpy network create NAME",
        )
    if trusting and found is not None and found.up and found.alias == wanted:
        return found.index
    rt.add(RTM_NEWLINK, NLM_F_CREATE, _bridge_message(bridge, with_mac=found is None))
    named = LINK.pack(AF_UNSPEC, 0, 0, 0, 0) + text(_IFLA_IFNAME, bridge.name)
    rt.add(RTM_SETLINK, 0, named + text(_IFLA_IFALIAS, bridge.owner))  # it is ours, and not complete yet
    if rt.send(allowed=(EOPNOTSUPP, ENODEV))[0]:
        what = "VLANs on bridges (CONFIG_BRIDGE_VLAN_FILTERING)" if bridge.vlan else "bridges (CONFIG_BRIDGE)"
        raise NotSupportedError(f"network with the bridge {bridge.name}: this kernel has no {what}")
    found = find(rt, bridge.name)
    if found is None:
        raise NetworkSetupError(f"bridge {bridge.name} was removed while it was made")
    for shown, body in _addresses(rt, found.index):
        if shown not in bridge.addresses:
            rt.add(RTM_DELADDR, 0, body)
    for address in bridge.addresses:
        rt.add(RTM_NEWADDR, NEW, _address_message(found.index, address))
    master = u32(_IFLA_MASTER, _vrf(rt, bridge.vrf)) if bridge.vrf else b""
    up = LINK.pack(AF_UNSPEC, 0, found.index, _IFF_UP, _IFF_UP) + master
    rt.add(RTM_SETLINK, 0, up)
    rt.send(allowed=(EEXIST,))
    # Last, and alone: who reads it knows that all the rest succeeded.
    rt.add(RTM_SETLINK, 0, LINK.pack(AF_UNSPEC, 0, found.index, 0, 0) + text(_IFLA_IFALIAS, wanted))
    rt.send()
    return found.index


def remove(rt: Netlink, name: str) -> bool:
    """Remove a device of the socket's namespace; return whether there was one. It takes 10 to 70 ms. Raises OSError."""
    rt.add(RTM_DELLINK, 0, LINK.pack(AF_UNSPEC, 0, 0, 0, 0) + text(_IFLA_IFNAME, name))
    return rt.send(allowed=(ENODEV,)) == [0]


def is_own(link: Link, owner: str = OWNER) -> bool:
    """Return whether a device is a bridge that podpy has made, for this owner."""
    return link.kind == "bridge" and link.alias.partition(" ")[0] == owner


def attach(rt: Netlink, netns: int, bridge: int, plug: Plug) -> str:
    """Plug a container into a bridge; return the hardware address of its end.

    `rt` is a socket in the bridge's namespace, `netns` a descriptor of the container's, `bridge` an index. What a
    killed call has left of this very plug goes first. Raises OSError, InUseError if somebody else has the name
    `host_interface`, NetworkSetupError for a gateway or route that the addresses don't reach.
    """
    with Netlink.open(netns) as inside:
        return plug_in(rt, inside, bridge, plug)


def plug_in(rt: Netlink, inside: Netlink, bridge: int, plug: Plug) -> str:
    """Do what `attach` does, with a socket in the container's namespace. Raises as `attach`."""
    if not plug.mac:
        plug = plug.replace(mac=random_mac())
    _make_pair(rt, inside, bridge, plug)
    set_up(inside, plug)
    return plug.mac


def detach(netns: int, interface: str) -> bool:
    """Pull a container's end out while it runs; return whether it was there. Its routes go along. Raises OSError."""
    with Netlink.open(netns) as inside:
        return remove(inside, interface)


def set_up(inside: Netlink, plug: Plug) -> None:
    """Give the interface in a container its addresses and routes, all at once; it goes if that fails.

    Raises OSError, NetworkSetupError.
    """
    index = _index(inside, plug.interface)
    for address in plug.addresses:
        inside.add(RTM_NEWADDR, NEW, _address_message(index, address))
    inside.add(RTM_SETLINK, 0, LINK.pack(AF_UNSPEC, 0, index, _IFF_UP, _IFF_UP))
    try:
        routes.add(inside, index, plug.gateways, plug.metric, plug.routes)
    except BaseException:
        remove(inside, plug.interface)
        raise


def random_mac() -> str:
    """Return a hardware address that is nobody's: locally administered, of one device (IEEE 802)."""
    raw = bytearray(os.urandom(6))
    raw[0] = raw[0] & 0xFC | 0x02
    return raw.hex(":")


def _link(data: bytes) -> Link:
    _family, _type, index, flags, _which = LINK.unpack_from(data)
    values = parse(data, LINK.size)
    info = parse(values.get(_IFLA_LINKINFO, b""))
    return Link(
        index=index,
        name=_text(values.get(_IFLA_IFNAME)),
        mac=values.get(_IFLA_ADDRESS, b"").hex(":"),
        mtu=_number(values.get(_IFLA_MTU)),
        up=bool(flags & _IFF_UP),
        master=_number(values.get(_IFLA_MASTER)),
        alias=_text(values.get(_IFLA_IFALIAS)),
        kind=_text(info.get(_IFLA_INFO_KIND)),
    )


def _text(raw: bytes | None) -> str:
    return (raw or b"").rstrip(b"\0").decode(errors="replace")


def _number(raw: bytes | None) -> int:
    return int(unpack_from("=I", raw)[0]) if raw else 0


def _description(bridge: Bridge) -> str:
    """Return the alias of a bridge that is complete (ip-link(8), alias; 255 bytes at most)."""
    parts = [bridge.owner, *bridge.addresses, f"mtu={bridge.mtu}"]
    parts += [f"vlan={bridge.vlan}"] if bridge.vlan else []
    parts += [f"vrf={bridge.vrf}"] if bridge.vrf else []
    return " ".join(parts)[:255]


def _bridge_message(bridge: Bridge, *, with_mac: bool) -> bytes:
    """A bridge has a hardware address of its own: without one it takes a port's, and changes when that one goes."""
    options = b""
    if bridge.vlan:  # its ports get the VLAN as they come, and it is in it itself: so its addresses are reached
        options = attribute(_IFLA_BR_VLAN_DEFAULT_PVID, pack("=H", bridge.vlan))
        options += attribute(_IFLA_BR_VLAN_FILTERING, b"\1")
    body = LINK.pack(AF_UNSPEC, 0, 0, 0, 0) + text(_IFLA_IFNAME, bridge.name) + u32(_IFLA_MTU, bridge.mtu)
    if with_mac:
        body += attribute(_IFLA_ADDRESS, bytes.fromhex(random_mac().replace(":", "")))
    return body + nested(_IFLA_LINKINFO, text(_IFLA_INFO_KIND, "bridge"), nested(_IFLA_INFO_DATA, options))


def _vrf(rt: Netlink, name: str) -> int:
    found = find(rt, name)
    if found is None or found.kind != "vrf":
        raise NetworkSetupError(f"VRF {name} doesn't exist", hint=f"ip link add {name} type vrf table NUMBER")
    return found.index


def _make_pair(rt: Netlink, inside: Netlink, bridge: int, plug: Plug) -> None:
    name = plug.host_interface or f"veth{os.urandom(4).hex()}"
    message = _pair_message(name, inside.netns, bridge, plug)
    rt.add(RTM_NEWLINK, NEW, message)
    if rt.send(allowed=(EEXIST,)) == [0]:
        return
    remove(inside, plug.interface)  # a killed call's
    if not is_gone(rt, name):
        raise InUseError(f"interface {name} is there already", hint="Choose another host_interface_name")
    rt.add(RTM_NEWLINK, NEW, message)
    rt.send()


def is_gone(rt: Netlink, name: str) -> bool:
    """Wait for the end of a device whose container has just ended; return whether it has come."""
    with Netlink.open(rt.netns) as events:
        events.subscribe(_RTNLGRP_LINK)
        while find(rt, name) is not None:
            if not events.await_event(_PATIENCE):
                return False
    return True


def _pair_message(name: str, netns: int, bridge: int, plug: Plug) -> bytes:
    """Both ends have one queue, as the kernel sets it at once: if it isn't told before, it makes one for each CPU
    (drivers/net/veth.c), which costs a quarter of the pair on two CPUs, and more on more.
    """
    same = u32(_IFLA_MTU, plug.mtu) + u32(_IFLA_NUM_TX_QUEUES, 1) + u32(_IFLA_NUM_RX_QUEUES, 1)
    peer = LINK.pack(AF_UNSPEC, 0, 0, 0, 0) + text(_IFLA_IFNAME, plug.interface) + u32(_IFLA_NET_NS_FD, netns) + same
    peer += attribute(_IFLA_ADDRESS, bytes.fromhex(plug.mac.replace(":", "").replace("-", "")))
    data = nested(_IFLA_INFO_DATA, nested(_VETH_INFO_PEER, peer))
    return (
        LINK.pack(AF_UNSPEC, 0, 0, _IFF_UP, _IFF_UP)
        + text(_IFLA_IFNAME, name)
        + same
        + u32(_IFLA_MASTER, bridge)
        + nested(_IFLA_LINKINFO, text(_IFLA_INFO_KIND, "veth"), data)
    )


def _index(inside: Netlink, name: str) -> int:
    """Return the index of a container's interface (netdevice(7), SIOCGIFINDEX). Raises NetworkSetupError, OSError."""
    import fcntl

    try:
        answer = fcntl.ioctl(inside, _SIOCGIFINDEX, _INTERFACE.pack(name.encode(), 0))
    except OSError as error:
        if error.errno != ENODEV:
            raise
        raise NetworkSetupError(f"interface {name} was removed while it was made") from error
    return int(_INTERFACE.unpack(answer)[1])


def _address_message(index: int, address: str) -> bytes:
    """An address is used at once: nobody else has it, so none is looked for (IFA_F_NODAD, of IPv6)."""
    family, raw, length = network(address)
    flags = _IFA_F_NODAD if family == AF_INET6 else 0
    body = _ADDRESS.pack(family, length, flags, 0, index)
    return body + attribute(_IFA_LOCAL, raw) + attribute(_IFA_ADDRESS, raw)


def _addresses(rt: Netlink, index: int) -> list[tuple[str, bytes]]:
    """Return a device's addresses as texts and as messages."""
    from _socket import inet_ntop

    found = []
    for answer in rt.ask(RTM_GETADDR, NLM_F_DUMP, _ADDRESS.pack(AF_UNSPEC, 0, 0, 0, index)):
        family, length, _flags, scope, owner = _ADDRESS.unpack_from(answer)
        values = parse(answer, _ADDRESS.size)
        raw = values.get(_IFA_LOCAL) or values.get(_IFA_ADDRESS)
        if owner == index and raw and scope != _RT_SCOPE_LINK:
            found.append((f"{inet_ntop(family, raw)}/{length}", answer))
    return found
