"""[Install]: the links that enable a unit, which systemctl can't make for generated ones (systemd.unit(5))."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.quadlet.context import Context

_DIRECTORIES = {"WantedBy": "wants", "RequiredBy": "requires", "UpheldBy": "upholds"}


def links(context: Context) -> list[tuple[str, str]]:
    """Return the links (place in the output directory, target). A template without DefaultInstance has none but its
    aliases.
    """
    service, install = context.draft.service, context.install
    places = []
    for alias in install.words("Alias", escapes=False):
        place = os.path.normpath(alias)
        if place.startswith(("/", "..")) or not place.endswith(".service"):
            context.fail(f"Alias={alias}: not the name of a service", "Alias", section=install)
        elif place != service:
            places.append(place)
    name = service
    if service.endswith("@.service"):
        instance = install.last("DefaultInstance")
        name = f"{service.removesuffix('.service')}{instance}.service" if instance else ""
        if "/" in instance:
            context.fail(f"DefaultInstance={instance}: not a name", "DefaultInstance", section=install)
    for key, directory in _DIRECTORIES.items():
        for unit in install.words(key, escapes=False):
            if "/" in unit:
                install.warn(key, f"{key}={unit}: not a unit's name. It is left out")
            elif name:
                places.append(f"{unit}.{directory}/{name}")
    return [(place, "../" * place.count("/") + service) for place in places]
