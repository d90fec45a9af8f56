"""Connects a running container's default network anew (podpy.network.reload)."""

from __future__ import annotations

from podpy.errors import StateError
from podpy.libpod.containers.starting.launch import context_of
from podpy.libpod.containers.table import ALIVE
from podpy.network.reload import reload

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.libpod.containers.held import Held


def reconnect(container: Held) -> bool:
    """Reload its network; this process must be in the user's namespaces. See `Container.reload_network`."""
    with container.locked() as row:
        if row.status not in ALIVE:
            raise StateError(
                f"cannot reload network of container {container.id}: it is not running: container state improper",
                hint=f"Its next start finds the host as it is then: podpy start {container.name}",
            )
        return reload(context_of(container), row.conmon_pid)
