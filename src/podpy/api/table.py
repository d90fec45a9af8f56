"""All routes of the API. A new endpoint: its Route in the room's own list, its handler in that room's module."""

from __future__ import annotations

from podpy.api.building.routes import BUILDING
from podpy.api.compat.routes import COMPAT
from podpy.api.compat.routes_images import IMAGES
from podpy.api.compat.routes_objects import NETWORKS, SWARM, VOLUMES
from podpy.api.libpod.routes import LIBPOD

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.api.routes import Route

ROUTES: tuple[Route, ...] = (*COMPAT, *IMAGES, *NETWORKS, *VOLUMES, *SWARM, *BUILDING, *LIBPOD)
"""In the order in which they are tried: the first one that fits answers."""
