"""What a change of a definition means where containers run: in the namespace of all bridges, and for the resolver."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.libpod.engine import Engine
    from podpy.network.definitions.network import Network


def tell_servers(engine: Engine, network: Network) -> None:
    """Let the resolver ask the network's servers from now on. Raises OSError."""
    from podpy.network.bridge import members, resolver
    from podpy.network.bridge.place import bridges
    from podpy.storage.network_rows import NetworkRows

    if NetworkRows(engine.database).attached(network=network.name):
        with bridges(engine.paths, engine.conf) as shared:
            resolver.change(shared.directory, members.zone_of(network))


def remove_bridge(engine: Engine, network: Network) -> None:
    """Remove the bridge of a network that is about to go, unless another network has the same one.

    Else its subnet would be routed there still, when another network gets it. A container that starts meanwhile has its
    row before it waits for the lock, and makes the bridge again after it. This process is in the user's namespaces.
    Raises OSError.
    """
    from podpy.network.bridge.place import bridges
    from podpy.storage.network_rows import NetworkRows

    rows = NetworkRows(engine.database)
    others = [other for other in engine.network_folder.all() if other.name != network.name]
    if any(other.interface == network.interface for other in others):
        return
    with bridges(engine.paths, engine.conf) as shared:
        if not rows.attached(network=network.name):
            shared.remove_bridge(network.interface, rows.monitors())
