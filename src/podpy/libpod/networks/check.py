"""`podpy system check` of networks: devices, addresses and rules of the bridges, against rows and definitions.

What is missing for a running container is made anew by a reload of its network; what belongs to nobody is removed:

    bridges     that no network has
    ports       of bridges, that no row has; not in the host's own namespace, where others may plug something in
    rights      of devices that no network has

They are read by podpy's own netlink sockets, as everything in that namespace: pyroute2 would have to join it.
"""

from __future__ import annotations

import os

from podpy.errors import NoSuchNetworkError, PodpyError
from podpy.libpod.networks import connecting
from podpy.libpod.networks.doctor import look
from podpy.network.bridge import firewall, links, routes
from podpy.network.bridge.hops import container as own_hops
from podpy.network.bridge.hops import shared as shared_hops
from podpy.network.bridge.namespace import TABLE
from podpy.network.bridge.netlink import Netlink
from podpy.network.bridge.place import bridges
from podpy.storage.check import Finding
from podpy.storage.network_rows import NetworkRows

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from podpy.libpod.engine import Engine
    from podpy.network.bridge.hops.shared import Place
    from podpy.network.bridge.namespace import SharedNamespace


def check(engine: Engine, *, mend: bool) -> list[Finding]:
    """Return what is missing or left over. `mend`: mend it. Runs in the user's namespaces."""
    used = {attached.network for attached in NetworkRows(engine.database).attached()}
    found = [finding for name in sorted(used) for finding in _network(engine, name, mend=mend)]
    return [*found, *_leftovers(engine, mend=mend)]


def _network(engine: Engine, name: str, *, mend: bool) -> list[Finding]:
    try:
        network = engine.network_folder.named(name)
    except NoSuchNetworkError:
        return [Finding(what=f"network {name}: containers are on it, and it has no definition")]
    place = look(engine, network)
    try:
        wrong = _missing(place)
        if not wrong or not mend:
            return [Finding(what=what) for what in wrong]
        failures = list(filter(None, (_reload(engine, each.who.container_id) for each in place.containers)))
    finally:
        if place.descriptor >= 0:
            os.close(place.descriptor)
    again = look(engine, network)
    try:
        left = {*_missing(again), *failures}
    finally:
        if again.descriptor >= 0:
            os.close(again.descriptor)
    found = [Finding(what=what, repaired=what not in left) for what in wrong]
    return [*found, *(Finding(what=what) for what in left.difference(wrong))]


def _missing(place: Place) -> list[str]:
    """Return a line for each thing that a network's running containers lack."""
    name = f"network {place.network.name}"
    if not place.containers:
        return []
    if place.descriptor < 0:
        return [f"{name}: the network namespace of the bridges is gone"]
    checks = shared_hops.structure(place)
    for container in place.containers:
        try:
            netns = os.open(f"/proc/{container.pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            continue  # it has just ended
        try:
            checks.append(own_hops.link(place, container, netns))
        finally:
            os.close(netns)
    return [f"{name}: {each.name}: {each.cause}" for each in checks if not each.ok]


def _reload(engine: Engine, container_id: str) -> str:
    """Return why a container's network can't be made anew; an empty text if it was."""
    try:
        connecting.reload(engine, container_id)
    except (PodpyError, OSError) as error:
        return f"container {container_id[:12]}: {error}"
    return ""


def _leftovers(engine: Engine, *, mend: bool) -> Iterator[Finding]:
    with bridges(engine.paths, engine.conf) as shared:  # nobody plugs in meanwhile
        rows = NetworkRows(engine.database)
        descriptor = shared.find(rows.monitors())
        if descriptor < 0:
            return
        try:
            known = {network.interface for network in engine.network_folder.all()}
            plugged = {attached.host_interface for attached in rows.attached()}
            yield from _devices(shared, descriptor, known, plugged, mend=mend)
            if not shared.is_host:
                yield from _rules(descriptor, known, mend=mend)
        finally:
            os.close(descriptor)


def _devices(
    shared: SharedNamespace, descriptor: int, known: set[str], plugged: set[str], *, mend: bool
) -> Iterator[Finding]:
    with Netlink.open(descriptor) as rt:
        there = links.all_links(rt)
        own = {link.index: link for link in there if links.is_own(link, shared.owner)}
        strange = [(link.name, "a bridge that no network has") for link in own.values() if link.name not in known]
        strange += [
            (link.name, f"plugged into {own[link.master].name}, and no container's")
            for link in there
            if not shared.is_host and link.master in own and link.name not in plugged
        ]
        for name, what in strange:
            if links.is_gone(rt, name):  # its container has just ended
                continue
            if mend:
                links.remove(rt, name)
            yield Finding(what=f"interface {name}: {what}", repaired=mend)


def _rules(descriptor: int, known: set[str], *, mend: bool) -> Iterator[Finding]:
    with Netlink.open(descriptor) as rt:
        if not routes.has_loop_back(rt, firewall.MARK, TABLE):
            if mend:
                routes.loop_back(rt, firewall.MARK, TABLE)
            what = "the rule for packets to the forwarders of published ports is gone (ip rule, fwmark 2)"
            yield Finding(what=what, repaired=mend)
    try:
        pairs = firewall.allowed(descriptor)
    except OSError:  # no table: a finding of each network
        return
    for device in sorted({each for pair in pairs for each in pair} - known - {firewall.WAY_OUT}):
        if mend:
            firewall.forget(descriptor, device)
        yield Finding(what=f"firewall: rights of {device}, which no network has", repaired=mend)
