"""`podpy system doctor --network`: every hop of a network, looked at from its running containers."""

from __future__ import annotations

import os

from podpy import fastjson
from podpy.errors import NoSuchContainerError
from podpy.libpod.containers.held import find
from podpy.libpod.containers.table import ALIVE
from podpy.libpod.networks.connecting import members_of
from podpy.network.bridge import members
from podpy.network.bridge.hops import container as own_hops
from podpy.network.bridge.hops import shared as shared_hops
from podpy.network.bridge.hops.shared import Container, Place
from podpy.network.bridge.members import Who
from podpy.network.bridge.place import bridges
from podpy.spec.container import PortMapping
from podpy.storage.network_rows import NetworkRows

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.libpod.engine import Engine
    from podpy.network.definitions.network import Network
    from podpy.rootless.checks.check import Check


def checks(engine: Engine, network: Network) -> list[Check]:
    """Return the checks of a network, those of all containers first. Runs in the user's namespaces."""
    place = look(engine, network)
    try:
        done = [*shared_hops.checks(place)]
        if place.descriptor >= 0:
            for container in place.containers:
                done += own_hops.checks(place, container)
    finally:
        if place.descriptor >= 0:
            os.close(place.descriptor)
    return done


def look(engine: Engine, network: Network) -> Place:
    """Return a network with its running containers. The caller closes the descriptor."""
    rows = NetworkRows(engine.database)
    found = [_container(engine, attached.container_id, network) for attached in rows.attached(network=network.name)]
    with bridges(engine.paths, engine.conf) as shared:
        descriptor = shared.find(rows.monitors())
    return Place(
        network,
        [container for container in found if container is not None],
        shared,
        descriptor,
        members.friends_of(network, engine.network_folder),
    )


def _container(engine: Engine, container_id: str, network: Network) -> Container | None:
    """Return a container of the network; None if it has ended, or has just been taken off."""
    try:
        held = find(engine, container_id)
        row = held.refresh()
    except NoSuchContainerError:
        return None
    there = members_of(engine, held, held.spec)
    if row.status not in ALIVE or all(member.network.name != network.name for member in there):
        return None
    return Container(
        who=Who.of(row.id, row.name, held.spec),
        pid=row.pid,
        directory=engine.run_directory(row.id),
        members=there,
        ports=[PortMapping(**port) for port in fastjson.loads(row.ports)],
    )
