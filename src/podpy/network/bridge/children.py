"""macvlan and ipvlan networks: a container's interface is a child of one of the host's, beside it on the same wire.

Only root has them: the parent is in the host's network namespace. The kernel passes nothing between parent and
children, so the host itself isn't reached, and ports aren't published: the container has an address of its own there.
Options: podman-network-create(1), `--opt`.

Rule: ip-link(8), "MACVLAN and MACVTAP Type Support", "IPVLAN and IPVTAP Type Support".
"""

from __future__ import annotations

from _struct import pack
from errno import EBUSY, EEXIST, EINVAL, EOPNOTSUPP

from podpy.errors import InUseError, NetworkSetupError, NotSupportedError
from podpy.network import hostinfo
from podpy.network.bridge import links
from podpy.network.bridge.netlink import NEW, attribute, nested, text, u32
from podpy.network.definitions.network import MACVLAN

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.network.bridge.links import Plug
    from podpy.network.bridge.netlink import Netlink
    from podpy.network.definitions.network import Network

# linux/if_link.h
_IFLA_ADDRESS, _IFLA_IFNAME, _IFLA_MTU, _IFLA_LINK, _IFLA_LINKINFO, _IFLA_NET_NS_FD = 1, 3, 4, 5, 18, 28
_IFLA_INFO_KIND, _IFLA_INFO_DATA = 1, 2
_IFLA_MACVLAN_MODE, _IFLA_MACVLAN_BC_CUTOFF, _IFLA_IPVLAN_MODE = 1, 9, 1
_MACVLAN_MODES = {"private": 1, "vepa": 2, "bridge": 4, "passthru": 8}
_IPVLAN_MODES = {"l2": 0, "l3": 1, "l3s": 2}


def attach(rt: Netlink, inside: Netlink, network: Network, plug: Plug) -> None:
    """Give a container its interface. What a killed call has left of it goes first.

    `rt` is a socket in the host's namespace, `inside` one in the container's. Raises OSError, InUseError (the
    parent is a bridge's port, or has the other kind of children), NetworkSetupError without the parent, or for a
    gateway or route that the addresses don't reach, NotSupportedError for a kernel that lacks the driver.
    """
    parent = _parent(rt, network)
    message = _message(network, plug, inside.netns, parent)
    links.remove(inside, plug.interface)
    rt.add(links.RTM_NEWLINK, NEW, message)
    try:
        refused = rt.send(allowed=(EOPNOTSUPP,))[0]
    except OSError as error:
        if error.errno not in (EBUSY, EINVAL, EEXIST):
            raise
        raise InUseError(
            f"network {network.name}: {parent.name} can't have a {network.driver}: {error.strerror or error}",
            hint=f"A bridge's port can't, nor a parent of the other driver's: ip -d link show {parent.name}",
        ) from error
    if refused:
        raise NotSupportedError(
            f"network {network.name}: this kernel has no {network.driver} (CONFIG_{network.driver.upper()})"
        )
    links.set_up(inside, plug)


def _parent(rt: Netlink, network: Network) -> links.Link:
    """Return the host's interface: the one that the network names, else that of the default route."""
    name = network.interface or hostinfo.ipv4_interface() or hostinfo.ipv6_interface()
    if not name:
        raise NetworkSetupError(
            f"network {network.name}: it names no parent interface, and the host has no default route",
            hint=f"podpy network create -d {network.driver} -o parent=INTERFACE …",
        )
    found = links.find(rt, name)
    if found is None:
        raise NetworkSetupError(f"network {network.name}: parent interface {name} does not exist", hint="ip link")
    return found


def _message(network: Network, plug: Plug, netns: int, parent: links.Link) -> bytes:
    mode = network.options.get("mode", "")
    if network.driver == MACVLAN:
        data = u32(_IFLA_MACVLAN_MODE, _MACVLAN_MODES.get(mode, _MACVLAN_MODES["bridge"]))
        if cutoff := network.options.get("bclim", ""):
            data += attribute(_IFLA_MACVLAN_BC_CUTOFF, pack("=i", int(cutoff)))
        own = attribute(_IFLA_ADDRESS, bytes.fromhex(plug.mac.replace(":", "").replace("-", "")))
    else:  # an ipvlan has its parent's hardware address
        data, own = attribute(_IFLA_IPVLAN_MODE, pack("=H", _IPVLAN_MODES.get(mode, 0))), b""
    info = nested(_IFLA_LINKINFO, text(_IFLA_INFO_KIND, network.driver), nested(_IFLA_INFO_DATA, data))
    mtu = u32(_IFLA_MTU, network.mtu) if network.mtu else b""
    named = text(_IFLA_IFNAME, plug.interface) + u32(_IFLA_LINK, parent.index) + u32(_IFLA_NET_NS_FD, netns)
    return links.LINK.pack(links.AF_UNSPEC, 0, 0, 0, 0) + named + mtu + own + info
