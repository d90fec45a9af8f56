"""A running container is plugged into a network, or out of one: devices, names, its hosts and resolv.conf.

The caller holds the container's lock. What a killed call has left half is a row in network_attachments for a network
that the container isn't configured for: `plug_out` completes it, and so does the next call's repair.
"""

from __future__ import annotations

import os

from podpy.errors import NetworkSetupError
from podpy.network import names
from podpy.network.bridge import forwarder, hosts, links, members, resolver
from podpy.network.bridge.netlink import Netlink
from podpy.network.bridge.place import bridges
from podpy.network.bridge.rights import Rights
from podpy.plan import Operation, perform
from podpy.record import Record
from podpy.rootless.mounts import Privately
from podpy.storage.network_rows import NetworkRows

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.config.containers_conf import ContainersConf
    from podpy.config.paths import Paths
    from podpy.network.bridge.host_firewall import Published
    from podpy.network.bridge.members import Member, Who
    from podpy.network.bridge.namespace import SharedNamespace
    from podpy.network.definitions.folder import Folder
    from podpy.spec.container import PortMapping
    from podpy.storage.database.database import Database


class Running(Record):
    """A running container."""

    who: Who
    pid: int
    directory: str  # its run directory
    paths: Paths
    conf: ContainersConf
    database: Database
    definitions: Folder
    ports: list[PortMapping] = []  # published ones

    def answers_by(self, there: list[Member]) -> dict[str, str]:
        """Return `members.answers_by`, of a container that is on these networks; none if it has just ended."""
        try:
            return members.answers_by(there, f"/proc/{self.pid}/ns/net")
        except OSError:
            return {}

    def published(self, there: list[Member]) -> list[Published]:
        """Return `members.published`, of a container that is on these networks."""
        return members.published(self.ports, there, self.answers_by(there)) if self.ports else []


def plug_in(container: Running, member: Member, others: list[Member]) -> None:
    """Plug a container into a network; what is there of it already is made anew. `others`: where it is already.

    Raises OSError, NetworkSetupError.
    """
    shared = bridges(container.paths, container.conf)
    with Privately(), shared:  # the way out may have to be started again, by a path
        descriptor = shared.open(NetworkRows(container.database).monitors())
        try:
            perform(PlugRunning(container, member, shared, descriptor))
            start = resolver.StartResolver(shared.directory, lambda: descriptor)
            shared.publish(descriptor, container.published([*others, member]))
            perform(JoinNames(container, member, shared.directory, start))
        finally:
            os.close(descriptor)
    shared.wait()
    start.wait()
    retarget(container, [*others, member], keeps=shared.has_transparent_sockets)


def plug_out(container: Running, member: Member, others: list[Member]) -> None:
    """Plug a container out of a network; nothing there is no error. `others`: where it stays. Raises OSError."""
    shared = bridges(container.paths, container.conf)
    with shared:
        perform(LeaveNames(container, member, others, shared.directory))
        perform(Unplug(container, member))
        if container.ports and shared.is_host:
            _republish(shared, container, member, others)
    retarget(container, others, keeps=shared.has_transparent_sockets)


def rename(container: Running, there: list[Member], before: str) -> None:
    """Make a container's new name known on its networks, and forget the name that it had before. Raises OSError."""
    former = container.replace(who=container.who.replace(name=before))
    with bridges(container.paths, container.conf) as shared:
        for member in there:
            perform(RenameOnNetwork(container, former, member, shared.directory))


def retarget(container: Running, there: list[Member], *, keeps: bool) -> None:
    """Tell the forwarder of the published ports, if there is one, where the container is now."""
    if not os.path.exists(os.path.join(container.directory, forwarder.PID_FILE)):
        return
    try:
        forwarder.retarget(container.directory, members.target_of(there, container.answers_by(there), keeps=keeps))
    except NetworkSetupError:
        pass  # it has ended: `reload` starts another one


def _republish(shared: SharedNamespace, container: Running, left: Member, there: list[Member]) -> None:
    """Let the host's firewall send clients to where a container is now. Raises OSError."""
    gone = {given.address for given in left.attached.addresses}
    shared.withdraw(lambda address: address not in gone)
    descriptor = shared.open(NetworkRows(container.database).monitors())
    try:
        shared.publish(descriptor, container.published(there))
    finally:
        os.close(descriptor)


class PlugRunning(Operation):
    """Make the pair of devices between a running container and a bridge."""

    def __init__(self, container: Running, member: Member, shared: SharedNamespace, descriptor: int) -> None:
        self._container = container
        self._member = member
        self._shared = shared
        self._descriptor = descriptor

    def describe(self) -> str:
        """Return what is plugged where."""
        network = self._member.network
        return f"plug {self._member.attached.interface} into {members.place_of(network)}"

    def execute(self) -> None:
        """Do it. Raises OSError, InUseError, NetworkSetupError."""
        container = self._container
        rows = NetworkRows(container.database)
        rights = Rights(self._shared, self._descriptor, rows, container.definitions)
        netns = _open_netns(container.pid)
        try:
            with Netlink.open(netns) as inside:
                rights.plug_in(inside, self._member, trusting=False)
        finally:
            os.close(netns)


class JoinNames(Operation):
    """Make a container's names known, and the network's resolver to it."""

    def __init__(self, container: Running, member: Member, directory: str, start: resolver.StartResolver) -> None:
        self._container = container
        self._member = member
        self._directory = directory
        self._start = start

    def describe(self) -> str:
        """Return which names."""
        names = self._container.who.names(self._member.attachment.aliases)
        return f"make {', '.join(names)} known on network {self._member.network.name}"

    def execute(self) -> None:
        """Do it. Raises OSError, NetworkSetupError."""
        container, member = self._container, self._member
        if member.network.dns_enabled:
            zone, entry = members.zone_of(member.network), members.entry_of(member, container.who)
            resolver.add(self._directory, zone, entry)
            self._start.execute()
        hosts.join(os.path.join(container.directory, "hosts"), _host_lines(container, member))
        hosts.join(os.path.join(container.directory, "resolv.conf"), _server_lines(member))


class LeaveNames(Operation):
    """Forget a container's names on a network."""

    def __init__(self, container: Running, member: Member, others: list[Member], directory: str) -> None:
        self._container = container
        self._member = member
        self._others = others
        self._directory = directory

    def describe(self) -> str:
        """Return where."""
        return f"forget the container's names on network {self._member.network.name}"

    def execute(self) -> None:
        """Do it. Raises OSError."""
        container, member = self._container, self._member
        # Its definition may have been changed or removed by hand.
        known = resolver.addresses(self._directory, member.network.name)
        resolver.remove(self._directory, member.network.name, container.who.container_id)
        stay = {line for other in self._others for line in _server_lines(other)}
        addresses = [given.address for given in member.attached.addresses]
        hosts.forget(os.path.join(container.directory, "hosts"), addresses, container.who.own_names)
        gone = [line for line in [*_server_lines(member), *map(names.server_line, known)] if line not in stay]
        hosts.leave(os.path.join(container.directory, "resolv.conf"), gone)


class RenameOnNetwork(Operation):
    """Replace a container's name on a network."""

    def __init__(self, container: Running, former: Running, member: Member, directory: str) -> None:
        self._container = container
        self._former = former
        self._member = member
        self._directory = directory

    def describe(self) -> str:
        """Return which name."""
        before, now = self._former.who.name, self._container.who.name
        return f"make {now} known instead of {before} on network {self._member.network.name}"

    def execute(self) -> None:
        """Do it; at each moment the container's own address has a name. Raises OSError."""
        container, former, member = self._container, self._former, self._member
        if member.network.dns_enabled:
            resolver.add(self._directory, members.zone_of(member.network), members.entry_of(member, container.who))
        before, now = _host_lines(former, member), _host_lines(container, member)
        hosts.join(os.path.join(container.directory, "hosts"), now)
        hosts.leave(os.path.join(container.directory, "hosts"), [line for line in before if line not in now])


class Unplug(Operation):
    """Take the pair of devices away."""

    def __init__(self, container: Running, member: Member) -> None:
        self._container = container
        self._member = member

    def describe(self) -> str:
        """Return which one."""
        return f"unplug {self._member.attached.interface} from network {self._member.network.name}"

    def execute(self) -> None:
        """Do it; a container that has just ended has none. Raises OSError."""
        try:
            inside = _open_netns(self._container.pid)
        except NetworkSetupError:
            return
        try:
            links.detach(inside, self._member.attached.interface)
        finally:
            os.close(inside)


def _open_netns(pid: int) -> int:
    try:
        return os.open(f"/proc/{pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise NetworkSetupError(f"the container's network namespace is gone: {error.strerror}") from error


def _host_lines(container: Running, member: Member) -> list[str]:
    return [names.host_line(given.address, container.who.own_names) for given in member.attached.addresses]


def _server_lines(member: Member) -> list[str]:
    if not member.network.dns_enabled:
        return []
    return [names.server_line(address) for address in members.zone_of(member.network).addresses]
