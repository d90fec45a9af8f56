"""A container on bridge networks: the operations of its start, and what its end gives back.

    BindPorts       the host's ports, if some are published (podpy.network.bridge.listeners)
    HoldNetns       the container's own namespace (podpy.network.netns) is made meanwhile, until WaitForNetns
    GiveAddresses   rows: who is where, with which addresses (one transaction)
    OpenNamespace   the namespace of all bridges is found or made; its lock is held from here …
    PlugIn          one for each network: its bridge, the pair of devices, what the firewall lets through
    PublishPorts    as root: the firewall sends clients to the container
    TellNames       … to here: the resolver knows the container's names
    StartForwarding clients of the published ports come in
    WaitForWayOut   late, just before the container runs

The monitor gets a descriptor of that namespace (`--hold-fd`): it is there as long as somebody holds one. A kill leaves
nothing but rows and files that the next call clears: the devices go with the container's namespace.
"""

from __future__ import annotations

import os

from podpy.network import netns
from podpy.network.bridge import conflicts, members, resolver
from podpy.network.bridge.members import Member, Who
from podpy.network.bridge.netlink import NETLINK_ROUTE, Netlink
from podpy.network.bridge.place import bridges
from podpy.network.bridge.rights import Rights
from podpy.network.definitions.network import BRIDGE
from podpy.plan import Operation
from podpy.spec.container import Attachment
from podpy.storage.network_rows import NetworkRows

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from podpy.config.containers_conf import ContainersConf
    from podpy.config.paths import Paths
    from podpy.libpod.containers.starting.context import StartContext
    from podpy.network.bridge.forwarder import StartForwarder
    from podpy.network.bridge.namespace import SharedNamespace
    from podpy.network.definitions.folder import Folder
    from podpy.network.definitions.network import Network
    from podpy.spec.container import PortMapping
    from podpy.storage.database.database import Database


class BridgeNetwork:
    """What a start does for its bridge networks. `members` is filled when the first operation has run."""

    def __init__(
        self,
        context: StartContext,
        database: Database,
        definitions: Folder,
        published: list[PortMapping],
        before: list[PortMapping],
    ) -> None:
        """`before`: the ports of its last start. Raises NoSuchNetworkError, ConfigError."""
        self.context = context
        self.rows = NetworkRows(database)
        self.database = database
        self.definitions = definitions
        self.who = Who.of(context.container_id, context.name, context.spec)
        self.netns_path = os.path.join(context.directory, netns.NETNS)
        self.shared = bridges(context.paths, context.conf)
        self.hold_fd = -1
        self._inside: Netlink | None = None
        self.is_locked = False
        self.members: list[Member] = []
        self.wanted: list[tuple[Attachment, Network]] = [
            (attachment, definitions.named(attachment.network)) for attachment in context.spec.networks
        ]
        resolving = resolver.StartResolver(self.shared.directory, lambda: self.hold_fd)
        self.leaves = any(not network.internal for _, network in self.wanted)  # pasta has 16 MB, and takes 25 ms
        by_pasta = self.shared.leaves_by_new_pasta(context.paths.cache)  # it may be connected to one that leaves later
        open_to_all = bool(context.spec.uid_maps)
        self._made = netns.HoldNetns(self.netns_path, open_to_all=open_to_all, by_pasta=by_pasta)
        self.operations: list[Operation] = [
            self._made,
            GiveAddresses(self),
            OpenNamespace(self),
            netns.WaitForNetns(self._made),
            *(PlugIn(self, place) for place in range(len(self.wanted))),
            *([PublishPorts(self)] if published and self.shared.is_host else []),
            TellNames(self, resolving),
        ]
        self.wait_operations: list[Operation] = [WaitForWayOut(self)] if self.leaves else []
        if any(network.dns_enabled for _, network in self.wanted):
            self.wait_operations.append(resolver.WaitForResolver(resolving))
        self.forwarder: StartForwarder | None = None
        if published:
            from podpy.network.bridge.forwarder import StartForwarder, WaitForForwarder
            from podpy.network.bridge.listeners import BindPorts

            binding = BindPorts(published, before, rootful=self.shared.is_host)
            self.forwarder = StartForwarder(context.directory, binding)
            self.operations = [binding, *self.operations, StartForwarding(self, self.forwarder)]
            self.wait_operations.append(WaitForForwarder(self.forwarder))

    @property
    def bound(self) -> list[PortMapping]:
        """The ports that are bound."""
        return self.forwarder.binding.bound if self.forwarder is not None else []

    @property
    def own_addresses(self) -> list[str]:
        """The container's addresses, in the order of its networks."""
        return [given.address for member in self.members for given in member.attached.addresses]

    @property
    def gateway(self) -> str:
        """The host's address on the container's first network that gives it one, IPv4 before IPv6; "" without."""
        bridged = [network for _, network in self.wanted if network.driver == BRIDGE]
        found = [subnet.gateway for network in bridged for subnet in network.subnets if subnet.gateway]
        return next((each for each in found if ":" not in each), next(iter(found), ""))

    @property
    def name_servers(self) -> list[str]:
        """Where the networks' resolver listens, in their order; none if no network has names."""
        zones = [members.zone_of(network) for _, network in self.wanted if network.dns_enabled]
        return [address for zone in zones for address in zone.addresses]

    def inside(self) -> Netlink:
        """Return a socket in the container's namespace, which is made; it is there until `unlock`."""
        if self._inside is None:
            self._inside = Netlink(self._made.socket, self._made.namespace, NETLINK_ROUTE)
            self._made.socket = -1
        return self._inside

    @property
    def joined_path(self) -> str:
        """Where the container's namespace is until `end`."""
        return self._made.joined_path

    def unlock(self) -> None:
        """Let others plug in."""
        if self._inside is not None:
            self._inside.close()
            self._inside = None
        if self.is_locked:
            self.is_locked = False
            self.shared.__exit__(None, None, None)

    def end(self) -> None:
        """Close what only the start needed: the monitor has its own descriptor."""
        self.unlock()
        self._made.close()
        if self.hold_fd >= 0:
            os.close(self.hold_fd)
            self.hold_fd = -1

    def abandon(self) -> None:
        """End what was begun, after a failure. `leave` gives back the rest."""
        if self.forwarder is not None:
            self.forwarder.abandon()
        self.shared.way_out.abandon()
        self.end()


class GiveAddresses(Operation):
    """Choose the container's addresses, and write them down."""

    def __init__(self, bridge: BridgeNetwork) -> None:
        self._bridge = bridge

    def describe(self) -> str:
        """Return for which networks."""
        names = ", ".join(network.name for _, network in self._bridge.wanted)
        return f"give the container its addresses on {names or 'no network'}"

    def execute(self) -> None:
        """Do it, in one transaction. Raises NetworkSetupError, InUseError: another network is in the way."""
        bridge = self._bridge
        rows, container = bridge.rows, bridge.context.container_id
        with bridge.database.transaction():
            before = {kept.network: kept for kept in rows.take_back(container)}
            rows.hold(container)
            bridge.members = []
            for attachment, network in bridge.wanted:
                conflicts.refuse(network, rows, bridge.definitions)
                attached = members.give(rows, container, attachment, network, before.get(network.name))
                bridge.members.append(Member(attachment=attachment, network=network, attached=attached))


class OpenNamespace(Operation):
    """Find or make the namespace of all bridges, and hold it and its lock."""

    def __init__(self, bridge: BridgeNetwork) -> None:
        self._bridge = bridge

    def describe(self) -> str:
        """Return where it is."""
        way_out = ", and its way out" if self._bridge.leaves else ""
        return f"find or make the network namespace of all bridges, {self._bridge.shared.path}{way_out}"

    def execute(self) -> None:
        """Do it. Raises OSError, NotSupportedError without nft or pasta, NetworkSetupError."""
        bridge = self._bridge
        bridge.shared.__enter__()
        bridge.is_locked = True
        bridge.hold_fd = bridge.shared.open(bridge.rows.monitors(), way_out=bridge.leaves)

    def explain_failure(self, error: OSError) -> str:
        """Return what limits network namespaces."""
        return netns.explain(error)


class PlugIn(Operation):
    """Plug the container into one network."""

    def __init__(self, bridge: BridgeNetwork, place: int) -> None:
        self._bridge = bridge
        self._place = place

    def describe(self) -> str:
        """Return what is plugged where."""
        attachment, network = self._bridge.wanted[self._place]
        return f"plug {attachment.interface} into {members.place_of(network)}"

    def execute(self) -> None:
        """Do it. Raises OSError, InUseError, NetworkSetupError."""
        bridge = self._bridge
        member = bridge.members[self._place]
        Rights(bridge.shared, bridge.hold_fd, bridge.rows, bridge.definitions).plug_in(bridge.inside(), member)


class PublishPorts(Operation):
    """Let the firewall of the host send to the container what comes for its published ports."""

    def __init__(self, bridge: BridgeNetwork) -> None:
        self._bridge = bridge

    def describe(self) -> str:
        """Return that."""
        return "let the firewall send clients of the published ports to the container"

    def execute(self) -> None:
        """Do it. Raises OSError."""
        bridge = self._bridge
        ways = members.answers_by(bridge.members, bridge.joined_path)
        bridge.shared.publish(bridge.hold_fd, members.published(bridge.bound, bridge.members, ways))


class TellNames(Operation):
    """Tell the resolver of the container, and let others plug in."""

    def __init__(self, bridge: BridgeNetwork, start: resolver.StartResolver) -> None:
        self._bridge = bridge
        self._start = start

    def describe(self) -> str:
        """Return which names."""
        attachments = [attachment for attachment, network in self._bridge.wanted if network.dns_enabled]
        aliases = [alias for attachment in attachments for alias in attachment.aliases]
        names = self._bridge.who.names(aliases) if attachments else []
        return f"tell the networks' resolver the container's names: {', '.join(names) or 'none'}"

    def execute(self) -> None:
        """Do it. Raises OSError, NetworkSetupError."""
        bridge = self._bridge
        named = [member for member in bridge.members if member.network.dns_enabled]
        for member in named:
            entry = members.entry_of(member, bridge.who)
            resolver.add(bridge.shared.directory, members.zone_of(member.network), entry)
        if named:
            self._start.execute()
        bridge.unlock()


class StartForwarding(Operation):
    """Start the forwarder of the published ports, which are bound."""

    def __init__(self, bridge: BridgeNetwork, start: StartForwarder) -> None:
        self._bridge = bridge
        self._start = start

    def describe(self) -> str:
        """Return what is started."""
        return self._start.describe()

    def execute(self) -> None:
        """Start it, and return at once. Raises OSError."""
        bridge, start = self._bridge, self._start
        ways = members.answers_by(bridge.members, bridge.joined_path)
        start.target = members.target_of(bridge.members, ways, keeps=bridge.shared.has_transparent_sockets)
        start.shared = bridge.hold_fd
        start.execute()


class WaitForWayOut(Operation):
    """Wait until the way out is ready."""

    def __init__(self, bridge: BridgeNetwork) -> None:
        self._bridge = bridge

    def describe(self) -> str:
        """Return what is waited for."""
        return "wait until the way out of the bridges is ready"

    def execute(self) -> None:
        """Wait. Raises NetworkSetupError."""
        self._bridge.shared.wait()


def leave(paths: Paths, conf: ContainersConf, database: Database, container_id: str) -> None:
    """Let the networks forget a container that has ended; the last one takes the namespace of all bridges along.

    Its rows are given back with the commit of its end. Safe to repeat. Raises OSError.
    """
    shared = bridges(paths, conf)
    if not os.path.isdir(shared.directory):
        return
    rows = NetworkRows(database)
    with shared:
        resolver.forget(shared.directory, lambda one: one != container_id)
        if not rows.in_use(besides=container_id):
            shared.end()
        elif shared.is_host:
            _withdraw(shared, rows, lambda one: one != container_id)


def clear(paths: Paths, conf: ContainersConf, database: Database) -> bool:
    """Clear what killed calls have left of containers that are on no network any more; return whether it was the whole
    namespace. Raises OSError.
    """
    shared = bridges(paths, conf)
    if not os.path.lexists(shared.path):
        return False
    rows = NetworkRows(database)
    with shared:
        attached = {each.container_id for each in rows.attached()}
        resolver.forget(shared.directory, attached.__contains__)
        if rows.in_use():
            _withdraw(shared, rows, attached.__contains__)
            return False
        shared.end()
    return True


def _withdraw(shared: SharedNamespace, rows: NetworkRows, keeps: Callable[[str], bool]) -> None:
    """Publish nothing any more of the containers whose ids `keeps` refuses, nor of those that have no rows."""
    living = [each for each in rows.attached() if keeps(each.container_id)]
    shared.withdraw({given.address for each in living for given in each.addresses}.__contains__)
