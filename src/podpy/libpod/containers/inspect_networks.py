"""The networks of a container as Podman's `inspect` shows them: InspectNetworkSettings and its Networks."""

from __future__ import annotations

from podpy.libpod.containers.inspect_host import NO_ADDRESSES
from podpy.storage.network_rows import NetworkRows

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.libpod.containers.held import Held
    from podpy.network.definitions.network import Network
    from podpy.spec.container import Attachment
    from podpy.storage.network_rows import Attached

_SHORT_ID = 12


def of_bridge(container: Held) -> dict[str, Any]:
    """Return the keys that tell of a container's bridge networks: `Networks`, and what is beside it.

    Its addresses are beside it, too, if it is on the default network alone. Without networks, `Networks` is null.
    """
    engine = container.engine
    attached = {each.network: each for each in NetworkRows(engine.database).attached(container.id)}
    definitions = engine.network_folder if attached else None
    networks = {}
    for attachment in sorted(container.spec.networks, key=lambda each: each.network):
        now = attached.get(attachment.network)
        network = definitions.get(attachment.network) if definitions is not None and now is not None else None
        networks[attachment.network] = {
            **(NO_ADDRESSES if now is None else _addresses(now, network)),
            "NetworkID": attachment.network,
            "DriverOpts": None,
            "IPAMConfig": None,
            "Links": None,
            "Aliases": aliases(attachment, container.id),
        }
    default = engine.conf.default_network
    beside = {name: networks[default][name] for name in NO_ADDRESSES} if [*networks] == [default] else NO_ADDRESSES
    return {**beside, "Networks": networks or None}


def aliases(attachment: Attachment, container_id: str) -> list[str]:
    """Return the user's aliases and the short id."""
    return list(dict.fromkeys([*attachment.aliases, container_id[:_SHORT_ID]]))


def _addresses(attached: Attached, network: Network | None) -> dict[str, Any]:
    gateways = {subnet.subnet: subnet.gateway for subnet in network.subnets} if network is not None else {}
    found: dict[str, Any] = {**NO_ADDRESSES, "MacAddress": attached.mac}
    more: dict[str, list[dict[str, Any]]] = {}
    for given in attached.addresses:
        length = int(given.subnet.partition("/")[2])
        is_v6 = ":" in given.address
        address, prefix, gateway = (
            ("GlobalIPv6Address", "GlobalIPv6PrefixLen", "IPv6Gateway")
            if is_v6
            else ("IPAddress", "IPPrefixLen", "Gateway")
        )
        if found[address]:
            key = "SecondaryIPv6Addresses" if is_v6 else "SecondaryIPAddresses"
            more.setdefault(key, []).append({"Addr": given.address, "PrefixLength": length})
            continue
        found[address], found[prefix], found[gateway] = given.address, length, gateways.get(given.subnet, "")
    return {**found, **more}
