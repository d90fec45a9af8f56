"""What all containers of a network need: the namespace of bridges, theirs, its firewall, the way out, the resolver."""

from __future__ import annotations

import os

from podpy.network import hostinfo, names
from podpy.network.bridge import firewall, links, members, resolver
from podpy.network.bridge.hops import dns, reach
from podpy.network.bridge.netlink import Netlink
from podpy.network.definitions.network import BRIDGE
from podpy.record import Record
from podpy.rootless.checks.check import failed, passed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from podpy.network.bridge.members import Member, Who
    from podpy.network.bridge.namespace import SharedNamespace
    from podpy.network.definitions.network import Network
    from podpy.rootless.checks.check import Check
    from podpy.spec.container import PortMapping

OUTSIDE = "a.root-servers.net"
"""A name that every resolver with a way to the internet knows."""

_SOME = 4


class Container(Record):
    """A running container of the network. `members`: all of its networks; `ports`: what it publishes."""

    who: Who
    pid: int
    directory: str  # its run directory
    members: list[Member]
    ports: list[PortMapping] = []

    @property
    def reload(self) -> str:
        """The command that makes its network anew."""
        return f"podpy network reload {self.who.name}"


class Place:
    """A network and where it is. `descriptor`: of the namespace of its bridge, -1 if that is gone.

    `friends`: other networks' bridges that it isn't isolated from.
    """

    def __init__(
        self,
        network: Network,
        containers: list[Container],
        shared: SharedNamespace,
        descriptor: int,
        friends: list[str],
    ) -> None:
        self.network = network
        self.containers = containers
        self.shared = shared
        self.descriptor = descriptor
        self.friends = friends
        self.carries = False
        """Whether packets pass the bridge, so that it makes sense to look behind it."""
        self.has_resolver = False
        self.has_upstream = False
        self.has_way_out = False

    @property
    def reload(self) -> str:
        """The command that makes the network anew for all of its containers."""
        called = [container.who.name for container in self.containers]
        return f"podpy network reload {' '.join(called) if len(called) <= _SOME else '--all'}"

    @property
    def is_managed(self) -> bool:
        """Whether its bridge is podpy's: it isn't with macvlan and ipvlan, nor with a bridge of somebody else's."""
        unmanaged = self.shared.is_host and self.network.options.get("mode") == "unmanaged"
        return self.network.driver == BRIDGE and not unmanaged

    def member(self, container: Container) -> Member:
        """Return the container's part of this network."""
        return next(member for member in container.members if member.network.name == self.network.name)


def checks(place: Place) -> Iterator[Check]:
    """Yield a check of each hop, from the bridge outwards; without the namespace there is nothing else to see."""
    name = f"network {place.network.name}"
    if not place.containers:
        cause = "no container of it runs, so there is nothing to ask from"
        yield failed(name, cause, f"podpy ps -a --filter network={place.network.name}", required=False)
        return
    if place.descriptor < 0:
        yield failed(name, "the network namespace of the bridges is gone", place.reload)
        return
    if not place.is_managed:
        yield passed(name, f"{place.network.interface} is the host's own: only what containers have of it is looked at")
        return
    first = structure(place)
    yield from first
    place.carries = all(check.ok for check in first)
    if not place.carries:
        return
    if not place.network.internal:
        yield _way_out(place)
    if place.network.dns_enabled:
        yield _resolver(place)
    if not place.network.internal:
        yield _upstream(place)


def structure(place: Place) -> list[Check]:
    """Return the checks of what is there or isn't: nothing is sent."""
    return [_bridge(place), _rights(place)] if place.is_managed else []


def _bridge(place: Place) -> Check:
    wanted = members.bridge_of(place.network, place.shared)
    name = f"bridge {wanted.name}"
    with Netlink.open(place.descriptor) as rt:
        found = links.find(rt, wanted.name)
        there = links.addresses(rt, found.index) if found is not None else []
    if found is None:
        return failed(name, "it isn't there", place.reload)
    if not found.up:
        return failed(name, "it is down", place.reload)
    missing = [address for address in wanted.addresses if address not in there]
    if missing:
        return failed(name, f"it lacks the address {', '.join(missing)}", place.reload)
    return passed(name, ", ".join(there) or "it has no address")


def _rights(place: Place) -> Check:
    name = "firewall"
    bridge = place.network.interface
    lacks = place.shared.lacks(place.descriptor, bridge, internal=place.network.internal, friends=place.friends)
    if lacks is None:
        return failed(name, "its table, inet podpy, is gone", place.reload)
    if lacks:
        missing = ", ".join(f"{source} to {target}" for source, target in lacks)
        return failed(name, f"it lets nothing through from {missing}", place.reload)
    return passed(name, f"{bridge} has its rights")


def _way_out(place: Place) -> Check:
    name = "way out"
    if not place.shared.is_host:
        helper = place.shared.way_out
        if not helper.is_there():
            return failed(name, "pasta (or slirp4netns) has ended", place.reload)
        with Netlink.open(place.descriptor) as rt:
            device = links.find(rt, firewall.WAY_OUT)
        if device is None or not device.up:
            is_what = "isn't there" if device is None else "is down"
            return failed(name, f"its device {firewall.WAY_OUT} {is_what}", _anew(helper.pid(), place))
    address = hostinfo.address()
    if not address:
        return failed(name, "the host itself has no network: no default route", "ip route", required=False)
    error = reach.connect_to_host(place.descriptor, address)
    if error is not None:
        mend = _anew(place.shared.way_out.pid(), place) if not place.shared.is_host else place.reload
        return failed(name, f"the host, {address}, isn't reached from the bridges: {reach.why(error)}", mend)
    place.has_way_out = True
    return passed(name, f"the host is reached, at {address}")


def _anew(pid: int, place: Place) -> str:
    """Return the commands that start a program again that is there and doesn't work."""
    return f"kill -9 {pid}\n{place.reload}" if pid else place.reload


def _resolver(place: Place) -> Check:
    name = "resolver"
    directory = place.shared.directory
    if not resolver.is_alive(directory, os.fstat(place.descriptor).st_ino):
        return failed(name, "podpy-resolver has ended: no container knows another one's name", place.reload)
    for address in members.zone_of(place.network).addresses:
        try:
            dns.ask(place.descriptor, address, place.containers[0].who.name)
        except OSError as error:
            mend = _anew(resolver.pid(directory), place)
            return failed(name, f"podpy-resolver is there, but silent at {address}: {reach.why(error)}", mend)
    place.has_resolver = True
    return passed(name, f"podpy-resolver answers at {', '.join(members.zone_of(place.network).addresses)}")


def _upstream(place: Place) -> Check:
    """Nothing of podpy's: the host asks the servers that the resolver asks."""
    name = "upstream resolver"
    servers = place.network.dns_servers or names.host_resolver(own_namespace=False).servers
    if not servers:
        return failed(name, "the host's /etc/resolv.conf names none", "resolvectl status", required=False)
    told = []
    for server in servers:
        try:
            answer = dns.ask(-1, server, OUTSIDE)
        except OSError as error:
            told.append(f"{server}: {reach.why(error)}")
            continue
        if answer.code in (dns.NO_ERROR, dns.NO_SUCH_NAME):
            place.has_upstream = True
            return passed(name, f"{server} answers")
        told.append(f"{server}: {answer.word}")
    return failed(
        name, f"the host doesn't get an answer, either: {', '.join(told)}", "resolvectl status", required=False
    )
