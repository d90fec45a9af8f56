"""A container on a network, seen from the network: its plug, its names, the bridge that it is plugged into."""

from __future__ import annotations

import os

from podpy.errors import InUseError, NetworkSetupError
from podpy.network import names
from podpy.network.bridge import addresses, links, resolver, routes
from podpy.network.bridge.firewall import WAY_OUT
from podpy.network.bridge.netlink import Netlink
from podpy.network.definitions.network import BRIDGE
from podpy.record import Record
from podpy.storage.network_rows import Attached, NetworkRows

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from podpy.network.bridge.forwarder import Target
    from podpy.network.bridge.host_firewall import Published
    from podpy.network.bridge.namespace import SharedNamespace
    from podpy.network.definitions.folder import Folder
    from podpy.network.definitions.network import Network
    from podpy.spec.container import Attachment, ContainerSpec, PortMapping

_SHORT_ID = 12


class Member(Record):
    """A container's network: what was asked for, how it is defined, and what the container was given there."""

    attachment: Attachment
    network: Network
    attached: Attached


class Who(Record):
    """What a network tells of a container."""

    container_id: str
    name: str
    hostname: str = ""  # its own; "": it has none but its short id
    uts: str = ""  # `--uts`
    servers: list[str] = []  # `--dns`

    @classmethod
    def of(cls, container_id: str, name: str, spec: ContainerSpec) -> Who:
        """Return a container's."""
        servers = [] if spec.dns == ["none"] else list(spec.dns)
        return cls(container_id=container_id, name=name, hostname=spec.hostname, uts=spec.uts, servers=servers)

    @property
    def short_id(self) -> str:
        """What the container is called by, too."""
        return self.container_id[:_SHORT_ID]

    @property
    def own_names(self) -> list[str]:
        """Its names in its own /etc/hosts."""
        return names.own_names(self.hostname, self.uts, self.container_id, self.name)

    def names(self, aliases: Iterable[str]) -> list[str]:
        """Its names on a network, in Podman's order."""
        own = [self.hostname] if self.hostname else []
        return list(dict.fromkeys([self.name, *aliases, self.short_id, *own]))


def free_interface(taken: Iterable[str]) -> str:
    """Return the first ethN that isn't taken."""
    busy = set(taken)
    return next(name for name in (f"eth{number}" for number in range(len(busy) + 1)) if name not in busy)


def give(
    rows: NetworkRows, container_id: str, attachment: Attachment, network: Network, before: Attached | None = None
) -> Attached:
    """Choose what a container gets on a network, and write it down; called in a transaction.

    `before`: what it had until just now, if it starts again at once: it stays the same. Raises NetworkSetupError.
    """
    wanted = list(attachment.ips)
    if before is not None and not wanted:
        kept = [given.address for given in before.addresses]
        wanted = [each for each in kept if any(subnet.prefix.contains(each) for subnet in network.subnets)]
    chosen = addresses.choose(network, wanted, rows.taken(network.name), rows.last(network.name))
    own_mac = attachment.mac or (before.mac if before is not None else "")
    attached = Attached(
        container_id=container_id,
        network=network.name,
        interface=attachment.interface,
        mac=own_mac or addresses.mac_of(network, chosen.addresses) or links.random_mac(),
        host_interface=attachment.host_interface or f"veth{os.urandom(4).hex()}",
        addresses=chosen.addresses,
    )
    rows.add(attached, chosen.last)
    return attached


def bridge_of(network: Network, shared: SharedNamespace) -> links.Bridge:
    """Return the bridge of a network, in a namespace."""
    return links.Bridge(
        name=network.interface,
        addresses=[f"{subnet.gateway}/{subnet.prefix.length}" for subnet in network.subnets if subnet.gateway],
        mtu=network.mtu or shared.mtu,
        vlan=network.vlan,
        vrf=network.options.get("vrf", ""),
        owner=shared.owner,
    )


def plug_of(member: Member, mtu: int = links.DEFAULT_MTU) -> links.Plug:
    """Return a container's end of a network. `mtu`: if the network says nothing of it."""
    network, attached = member.network, member.attached
    gateways = [subnet.gateway for subnet in network.subnets if subnet.gateway] if network.has_default_route else []
    return links.Plug(
        interface=attached.interface,
        addresses=[f"{given.address}/{given.subnet.partition('/')[2]}" for given in attached.addresses],
        gateways=gateways if attached.addresses else [],
        routes=[
            routes.Route(
                destination=route.destination,
                gateway=route.gateway,
                metric=routes.METRIC if route.metric is None else route.metric,
                kind=route.kind or "unicast",
            )
            for route in network.routes
        ],
        mac=attached.mac,
        mtu=network.mtu or mtu,
        metric=network.metric,
        host_interface=attached.host_interface,
    )


def place_of(network: Network) -> str:
    """Return the words for what a container is plugged into."""
    if network.driver == BRIDGE:
        return f"the bridge {network.interface} of network {network.name}"
    return f"network {network.name}, as {network.driver} of {network.interface or 'the interface of the default route'}"


def plug_in(
    shared: SharedNamespace,
    descriptor: int,
    inside: Netlink,
    member: Member,
    friends: Iterable[str] = (),
    *,
    trusting: bool = True,
) -> None:
    """Plug a container into a network, whose bridge is made if it isn't there; macvlan and ipvlan have a parent.

    `shared` is locked, `descriptor` one of it; `inside`: a socket of rtnetlink in the container's namespace. `friends`:
    bridges of other networks that this one's containers may talk to. `trusting`: see `links.make_bridge`.
    Raises OSError, InUseError, NetworkSetupError.
    """
    network = member.network
    if network.interface == WAY_OUT and not shared.is_host:  # a definition of Podman's may say so
        raise InUseError(f"network {network.name}: the interface {WAY_OUT} is that of the way out of all bridges")
    plug = plug_of(member, shared.mtu)
    rt, netfilter = Netlink.open_both(descriptor)
    with rt, netfilter:
        if network.driver != BRIDGE:
            from podpy.network.bridge import children

            children.attach(rt, inside, network, plug)
            return
        if shared.is_host and network.options.get("mode") == "unmanaged":
            links.plug_in(rt, inside, _unmanaged_bridge(rt, network), plug)
            return
        bridge = links.make_bridge(rt, bridge_of(network, shared), trusting=trusting)
        shared.allow(netfilter, network.interface, internal=network.internal, friends=friends)
        links.plug_in(rt, inside, bridge, plug)


def _unmanaged_bridge(rt: Netlink, network: Network) -> int:
    """Return the index of a bridge that somebody else makes (podman-network-create(1), mode)."""
    found = links.find(rt, network.interface)
    if found is None or found.kind != "bridge":
        raise NetworkSetupError(
            f"network {network.name}: in mode unmanaged, the bridge {network.interface} must already exist",
            hint=f"ip link add {network.interface} type bridge",
        )
    return found.index


def friends_of(network: Network, known: Folder) -> list[str]:
    """Return the bridges of the networks that this one isn't isolated from (podman-network-create(1), isolate)."""
    if network.isolation == "strict":
        return []
    # On the way of each start: of the many networks that say nothing about it, only a friend of all wants to know.
    others = known.all() if network.isolation == "false" else known.having("isolate")
    return [
        other.interface
        for other in others
        if other.name != network.name
        and other.interface
        and other.isolation != "strict"
        and "false" in (other.isolation, network.isolation)
    ]


def answers_by(members: list[Member], netns: str) -> dict[str, str]:
    """Return the interfaces by which a container answers clients from elsewhere: {"v4": "eth0"}.

    A family without a default route isn't in it. `netns`: the container's namespace, which is asked if there are
    several networks. Raises OSError.
    """
    if len(members) == 1:
        has_one = members[0].network.has_default_route
        return dict.fromkeys(("v4", "v6") if has_one else (), members[0].attached.interface)
    descriptor = os.open(netns, os.O_RDONLY | os.O_CLOEXEC)
    try:
        with Netlink.open(descriptor) as inside:
            devices = {link.index: link.name for link in links.all_links(inside)}
            return {family: devices.get(index, "") for family, index in routes.default_ways(inside).items()}
    finally:
        os.close(descriptor)


def target_of(members: list[Member], ways: Mapping[str, str], *, keeps: bool) -> Target:
    """Return where the forwarder of published ports leads: to the network by which the container answers, or else to
    the first one with an address, each family by itself.

    `ways`: see `answers_by`. `keeps`: the kernel lets it speak with its clients' addresses.
    """
    from podpy.network.bridge.forwarder import Target

    found: dict[str, tuple[str, str, bool]] = {}
    for member in members:
        if member.network.driver != BRIDGE:
            continue  # it has an address of its own out there, which the host doesn't reach
        gateways = {subnet.subnet: subnet.gateway for subnet in member.network.subnets}
        for given in member.attached.addresses:
            family = "v6" if ":" in given.address else "v4"
            answers = ways.get(family) == member.attached.interface
            if family not in found or (answers and not found[family][2]):
                found[family] = (given.address, gateways.get(given.subnet, ""), answers)
    texts = {family: address for family, (address, _, _) in found.items()}
    texts |= {f"gateway_{family}": gateway for family, (_, gateway, _) in found.items()}
    return Target(**texts, keeps_clients=keeps and all(answers for _, _, answers in found.values()))


def published(bound: Iterable[PortMapping], members: list[Member], ways: Mapping[str, str]) -> list[Published]:
    """Return what the host's firewall sends to the container: what comes for its ports, in its address families.

    Not what comes for the loopback device, nor anything for a container whose answers wouldn't come back by here: it
    has no default route, or one by a macvlan. These clients are the forwarder's.
    """
    target = target_of(members, ways, keeps=True)
    addresses = [each for each in (target.v4, target.v6) if each and target.keeps_clients]
    return [
        (port.protocol, port.host_ip, port.host_port + offset, address, port.container_port + offset)
        for port in bound
        if not port.host_ip.startswith("127.") and port.host_ip != "::1"
        for address in addresses
        if not port.host_ip or (":" in port.host_ip) == (":" in address)
        for offset in range(port.count)
    ]


def zone_of(network: Network) -> resolver.Zone:
    """Return what the resolver must know of a network with names."""
    return resolver.Zone(
        network=network.name,
        addresses=[subnet.gateway for subnet in network.subnets if subnet.gateway],
        servers=network.dns_servers,
        internal=network.internal,
    )


def entry_of(member: Member, who: Who) -> resolver.Entry:
    """Return what the resolver must know of a container on a network."""
    found = [given.address for given in member.attached.addresses]
    return resolver.Entry(
        container_id=who.container_id,
        v4=[address for address in found if ":" not in address],
        v6=[address for address in found if ":" in address],
        names=who.names(member.attachment.aliases),
        servers=who.servers,
    )
