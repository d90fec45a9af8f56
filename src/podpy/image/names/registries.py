"""registries.conf of the user that podpy works for."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.config.paths import Paths
    from podpy.config.registries import Registries


def registries_of(paths: Paths) -> Registries:
    """Return registries.conf as it is for this user. Raises ConfigError."""
    from podpy.config import registries

    return registries.load(home=paths.home, rootless=paths.rootless, uid=paths.uid, cache_directory=paths.cache)
