"""All routes of the API. A new endpoint: its Route in the room's own list, its handler in that room's module."""

from __future__ import annotations

from podpy.api.building.routes import BUILDING
from podpy.api.compat.routes import COMPAT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.api.routes import Route

ROUTES: tuple[Route, ...] = (*COMPAT, *BUILDING)
"""In the order in which they are tried: the first one that fits answers."""
