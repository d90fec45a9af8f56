"""What a container has from its image, and which ids its user has: for programs that describe it to others."""

from __future__ import annotations

from podpy import fastjson
from podpy.errors import NoSuchImageError
from podpy.numbers import parse_id
from podpy.spec.container import PortMapping

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.image.documents.config import ImageConfig
    from podpy.libpod.containers.held import Held


def image_config(container: Held) -> ImageConfig:
    """Return the configuration of the container's image; an empty one without an image. Raises ImageError."""
    from podpy.image.documents.config import ImageConfig

    try:
        image = container.image
    except NoSuchImageError:  # removed by force
        image = None
    return ImageConfig.parse(image.config) if image is not None else ImageConfig()


def user_ids(container: Held) -> tuple[int, int] | None:
    """Return the uid and gid inside of the user that the container names; None if it names none.

    Raises CommandNotExecutableError for a user whom the container's passwd doesn't have, StateError, StorageError.
    """
    user = container.spec.user
    if not user:
        return None
    name, _, group = user.partition(":")
    uid, gid = parse_id(name), parse_id(group)
    if uid is not None and gid is not None:
        return uid, gid

    def look_up() -> tuple[int, int]:
        from podpy.libpod.containers.contents.view import View
        from podpy.oci.root.users import lookup

        with View(container, mounts=False) as view:
            ids = lookup(view.path, user)
        return ids.uid, ids.gid

    return container.engine.privileged(look_up)


def host_ports(container: Held) -> list[PortMapping]:
    """Return the published ports: of its last start, in which the host's are chosen, else those that were asked for."""
    started = fastjson.loads(container.row.ports or "[]")
    return [PortMapping(**port) for port in started] or container.spec.ports
