"""What only a swarm or a daemon with plugins has: dockerd's answers where it has neither."""

from __future__ import annotations

from podpy.api.call import Answer
from podpy.api.errors import HttpError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.api.call import Call

_NO_MANAGER = (
    'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to '
    "swarm and try again."
)
_NO_SWARM = "This node is not part of a swarm"


def refused(call: Call) -> Answer:
    """Refuse what only a manager of a swarm can do."""
    raise HttpError(503, _NO_MANAGER)


def not_part(call: Call) -> Answer:
    """Refuse to leave a swarm that this isn't part of."""
    raise HttpError(503, _NO_SWARM)


def no_clusters(call: Call) -> Answer:
    """Refuse to make or join a swarm."""
    raise HttpError(501, "podpy makes no clusters: swarm mode isn't supported")


def no_plugins(call: Call) -> Answer:
    """List plugins: there are none."""
    return Answer([])


def no_such_plugin(call: Call) -> Answer:
    """Answer about a plugin: there is none."""
    raise HttpError(404, f'plugin "{call.name}" not found')


def no_plugins_at_all(call: Call) -> Answer:
    """Refuse to install a plugin."""
    raise HttpError(501, "podpy has no plugins")
