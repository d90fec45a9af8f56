"""Where an engine's bridges are: a user's in a namespace of their own, root's in the host's."""

from __future__ import annotations

from podpy.network.bridge.namespace import SharedNamespace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.config.containers_conf import ContainersConf
    from podpy.config.paths import Paths


def bridges(paths: Paths, conf: ContainersConf) -> SharedNamespace:
    """Return the namespace of this engine's bridges."""
    if paths.rootless:
        return SharedNamespace(paths, conf)
    from podpy.network.bridge.host import HostNamespace

    return HostNamespace(paths, conf)
