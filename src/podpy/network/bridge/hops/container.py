"""What one container needs of a network: its link, its routes, the names that it asks for, its published ports.

A hop that fails hides those behind it: they aren't tried.
"""

from __future__ import annotations

import os
from errno import ECONNREFUSED

from podpy.network import names as host_names
from podpy.network.bridge import forwarder, links, members
from podpy.network.bridge.hops import dns, reach, shared
from podpy.network.bridge.netlink import Netlink
from podpy.rootless.checks.check import failed, passed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from podpy.network.bridge.hops.shared import Container, Place
    from podpy.rootless.checks.check import Check
    from podpy.spec.container import PortMapping

_LONGEST = 63  # bytes of a label (RFC 1035)
_TOLD = 5  # wrong names of one container
_HOST = "host.containers.internal"


def checks(place: Place, container: Container) -> Iterator[Check]:
    """Yield a check of each hop from the container on."""
    name = container.who.name
    try:
        netns = os.open(f"/proc/{container.pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        yield failed(name, "it has just ended", f"podpy logs {name}", required=False)
        return
    try:
        check = link(place, container, netns)
        yield check
        if check.ok and place.carries:
            if place.network.dns_enabled:
                yield from _names(place, container, netns)
            if place.network.has_default_route:
                yield from _outside(place, container, netns)
    finally:
        os.close(netns)
    if check.ok and place.carries and container.ports:
        yield from _ports(place, container)


def link(place: Place, container: Container, netns: int) -> Check:
    """Return the check of both ends of the pair, its addresses, and a default route. `netns`: the container's."""
    attached = place.member(container).attached
    name = f"{container.who.name}: {attached.interface}"
    with Netlink.open(netns) as rt:
        inner = links.find(rt, attached.interface)
        there = links.addresses(rt, inner.index) if inner is not None else []
    with Netlink.open(place.descriptor) as rt:
        outer = links.find(rt, attached.host_interface)
        bridge = links.find(rt, place.network.interface)
    if inner is None:
        return failed(name, "the device isn't there", container.reload)
    if not inner.up:
        return failed(name, "the device is down", container.reload)
    missing = [given.address for given in attached.addresses if given.address not in map(_bare, there)]
    if missing:
        return failed(name, f"it lacks the address {', '.join(missing)}", container.reload)
    if not place.is_managed:
        return passed(name, ", ".join(there) or "it has no address")
    if outer is None or not outer.up:
        return failed(name, f"its other end, {attached.host_interface}, isn't there or is down", container.reload)
    if bridge is None or outer.master != bridge.index:
        cause = f"its other end, {attached.host_interface}, isn't plugged into {place.network.interface}"
        return failed(name, cause, container.reload)
    if place.network.has_default_route and attached.addresses and not reach.has_default_route(container.pid):
        return failed(name, "the container has no default route", container.reload)
    return passed(name, ", ".join(there) or "it has no address")


def _bare(address: str) -> str:
    return address.partition("/")[0]


def _names(place: Place, container: Container, netns: int) -> Iterator[Check]:
    """Every name of the network, the host's, and one that nobody has, as the container asks for them."""
    name = f"{container.who.name}: names"
    servers = host_names.Resolver(reach.own_file(container.pid, "/etc/resolv.conf")).servers
    zone = members.zone_of(place.network)
    here = [server for server in servers if server in zone.addresses]
    if not servers:
        yield failed(name, "its /etc/resolv.conf names no server", container.reload)
        return
    if not here:
        cause = f"its /etc/resolv.conf names {', '.join(servers)}, and not the network's {', '.join(zone.addresses)}"
        yield failed(name, cause, container.reload, required=False)
        return
    if not place.has_resolver:
        return  # told once
    try:
        wrong, count = _asked(place, netns, here[0])
    except OSError as error:
        yield failed(name, f"{here[0]} doesn't answer: {reach.why(error)}", container.reload)
        return
    for said in wrong[:_TOLD]:
        yield failed(name, said, container.reload)
    if not wrong:
        yield passed(name, f"{count} names, of {len(place.containers)} containers, are answered by {here[0]}")


def _asked(place: Place, netns: int, server: str) -> tuple[list[str], int]:
    """Return what is wrong with the answers, and how many names were asked for. Raises OSError."""
    wanted: dict[str, set[str]] = {}
    for other in place.containers:
        member = place.member(other)
        given = {each.address for each in member.attached.addresses}
        for alias in other.who.names(member.attachment.aliases):
            wanted.setdefault(alias, set()).update(given)
    wrong = []
    subnets = [subnet.prefix for subnet in place.network.subnets]
    for name, expected in wanted.items():
        if max(map(len, name.split("."))) > _LONGEST:
            continue
        kinds = (dns.A, dns.AAAA) if any(":" in address for address in expected) else (dns.A,)
        answers = [dns.ask(netns, server, name, kind) for kind in kinds]
        found = {address for answer in answers for address in answer.addresses}
        strange = {each for each in found - expected if any(subnet.contains(each) for subnet in subnets)}
        if not expected <= found:
            said = ", ".join(sorted(found)) or answers[0].word
            wrong.append(f"{name} is {', '.join(sorted(expected))}, and {server} says {said}")
        elif strange:
            wrong.append(f"{server} answers for {name} with {', '.join(sorted(strange))} too, which no container has")
    nobody = f"nobody-{os.urandom(4).hex()}"
    answer = dns.ask(netns, server, nobody)
    if answer.code != dns.NO_SUCH_NAME:
        wrong.append(f"{server} says {answer.word} of {nobody}, which nobody is called")
    return wrong, len(wanted)


def _outside(place: Place, container: Container, netns: int) -> Iterator[Check]:
    """The host by its name, and a name of the world."""
    name = f"{container.who.name}: way out"
    address = _known(container.pid).get(_HOST, "")
    if place.has_way_out and address:
        error = reach.connect_to_host(netns, address)
        if error is not None:
            cause = f"{_HOST}, {address}, isn't reached: {reach.why(error)}"
            yield failed(name, cause, f"podpy restart {container.who.name}    # if the host has another address now")
        else:
            yield passed(name, f"{_HOST} is reached, at {address}")
    servers = host_names.Resolver(reach.own_file(container.pid, "/etc/resolv.conf")).servers
    if place.has_upstream and place.has_resolver and servers:
        yield _outside_name(container, netns, servers[0])


def _outside_name(container: Container, netns: int, server: str) -> Check:
    name = f"{container.who.name}: names outside"
    asked = f" (of --dns: {', '.join(container.who.servers)})" if container.who.servers else ""
    try:
        answer = dns.ask(netns, server, shared.OUTSIDE, timeout=8.0)
    except OSError as error:
        return failed(name, f"{server}{asked} doesn't answer: {reach.why(error)}", container.reload)
    if answer.code not in (dns.NO_ERROR, dns.NO_SUCH_NAME):
        return failed(name, f"{server}{asked} says {answer.word} of {shared.OUTSIDE}", container.reload)
    return passed(name, f"{server} answers")


def _known(pid: int) -> dict[str, str]:
    """Return the first address of each name in a container's /etc/hosts."""
    found: dict[str, str] = {}
    for line in reach.own_file(pid, "/etc/hosts").splitlines():
        words = line.partition("#")[0].split()
        for name in words[1:]:
            found.setdefault(name, words[0])
    return found


def _ports(place: Place, container: Container) -> Iterator[Check]:
    """The forwarder, the listener on the host, and the service inside, for each published port."""
    if not forwarder.is_alive(container.directory):
        yield failed(f"{container.who.name}: published ports", "podpy-forward has ended", container.reload)
        return
    for port in container.ports:
        for offset in range(port.count):
            yield _port(place, container, port, offset)


def _port(place: Place, container: Container, port: PortMapping, offset: int) -> Check:
    number, inner = port.host_port + offset, port.container_port + offset
    name = f"{container.who.name}: published port {number}/{port.protocol}"
    listening = reach.listeners(container.pid, port.protocol).get(inner, set())
    logs = f"podpy logs {container.who.name}"
    if not listening:
        return failed(name, f"nothing listens on {inner}/{port.protocol} in the container", logs)
    if listening == {"lo"}:
        cause = f"what listens on {inner}/{port.protocol} in the container does so on 127.0.0.1 only"
        return failed(name, cause, f"{logs}    # let the service listen on 0.0.0.0")
    if port.protocol != "tcp":
        return passed(name, f"{inner}/{port.protocol} in the container is listened on")
    ways = members.answers_by(container.members, f"/proc/{container.pid}/ns/net")
    target = members.target_of(container.members, ways, keeps=False)
    address = target.v4 or target.v6
    error = reach.connect(place.descriptor, address, inner)
    if error is not None:
        cause = f"{address}:{inner} isn't reached from the bridge: {reach.why(error)}"
        if error.errno == ECONNREFUSED:
            cause = f"nothing listens on {address}:{inner} in the container, but on {', '.join(sorted(listening))}"
        return failed(name, cause, logs)
    host = port.host_ip if port.host_ip not in ("", "0.0.0.0", "::") else "127.0.0.1"
    error = reach.connect(-1, host, number)
    if error is not None:
        return failed(name, f"{host}:{number} of the host isn't reached: {reach.why(error)}", container.reload)
    return passed(name, f"leads to {address}:{inner}, where something listens")
