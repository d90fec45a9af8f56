"""Definitions that get in each other's way: `network create` makes none, but files can be edited by hand.

Two networks with one bridge would give it each other's addresses by turns, and two with one subnet would give the same
addresses twice. Networks may share a bridge by VLANs, or one that somebody else manages.
"""

from __future__ import annotations

from podpy.errors import ConfigError, InUseError
from podpy.network.definitions.network import BRIDGE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.network.definitions.folder import Folder
    from podpy.network.definitions.network import Network
    from podpy.storage.network_rows import NetworkRows


def refuse(network: Network, rows: NetworkRows, definitions: Folder) -> None:
    """Raise InUseError if a network that comes into use can't be beside those that containers are on.

    A network that is in use already isn't looked at again.
    """
    if network.driver != BRIDGE or _shares(network):
        return
    used = rows.networks()
    if not used or network.name in used:
        return
    for name in used:
        try:
            other = definitions.get(name)
        except ConfigError:  # its own users are told
            continue
        said = "" if other is None or other.driver != BRIDGE or _shares(other) else _conflict(network, other)
        if said:
            raise InUseError(
                f"network {network.name}: its {said} of network {name}, which containers are on",
                hint=f"Change one of {network.name}.json and {name}.json in {definitions.path}",
            )


def _shares(network: Network) -> bool:
    return "vlan" in network.options or network.options.get("mode") == "unmanaged"


def _conflict(network: Network, other: Network) -> str:
    if network.interface == other.interface:
        return f"bridge {network.interface} is also that"
    for subnet in network.subnets:
        for taken in other.subnets:
            if subnet.prefix.overlaps(taken.prefix):
                return f"subnet {subnet.subnet} overlaps {taken.subnet}"
    return ""
