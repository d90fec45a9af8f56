"""Everything about a network, in the form of `podman network inspect`."""

from __future__ import annotations

from podpy.libpod.containers.table import ALIVE
from podpy.storage.network_rows import NetworkRows

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.libpod.engine import Engine
    from podpy.network.definitions.network import Network
    from podpy.storage.network_rows import Attached

_NAMES = f"SELECT id, name FROM containers WHERE status IN ({', '.join('?' * len(ALIVE))})"


def inspect(engine: Engine, network: Network) -> dict[str, Any]:
    """Return what the definition has, in its order, and the running containers on the network, by their ids."""
    attached = sorted(NetworkRows(engine.database).attached(network=network.name), key=lambda each: each.container_id)
    names = dict(engine.database.query(_NAMES, ALIVE)) if attached else {}
    gateways = {subnet.subnet: subnet.gateway for subnet in network.subnets}
    containers = {
        each.container_id: {
            "name": names[each.container_id],
            "interfaces": {each.interface: _interface(each, gateways)},
        }
        for each in attached
        if each.container_id in names
    }
    return {**network.as_json(), "containers": containers}


def _interface(attached: Attached, gateways: dict[str, str]) -> dict[str, Any]:
    subnets = []
    for given in attached.addresses:
        length = given.subnet.partition("/")[2]
        gateway = gateways.get(given.subnet, "")
        subnets.append({"ipnet": f"{given.address}/{length}", **({"gateway": gateway} if gateway else {})})
    return {**({"subnets": subnets} if subnets else {}), "mac_address": attached.mac}
