"""Docker's short names: `alpine` is docker.io/library/alpine:latest, and is shown as alpine:latest."""

from __future__ import annotations

from podpy.api.errors import HttpError
from podpy.errors import ImageError, NoSuchImageError, NotANameError
from podpy.image.names.lookup import find_named
from podpy.image.names.reference import DOCKER_DOMAIN, DOCKER_LIBRARY, parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.api.call import Call
    from podpy.storage.images import ImageRecord

_DOCKER = f"{DOCKER_DOMAIN}/"


def full(text: str, *, tag: str = "") -> str:
    """Return the full name that Docker means by a name. `tag`: its tag or digest, if it has none itself.

    Raises HttpError in dockerd's words. As in Podman's API, what names no registry is docker.io's.
    """
    if tag:
        text += f"@{tag}" if ":" in tag else f":{tag}"
    try:
        reference = parse(text)
    except ImageError as error:
        raise HttpError(400, _why(text, error)) from None
    return str(reference.in_domain(DOCKER_DOMAIN) if reference.is_short else reference)


def _why(text: str, error: ImageError) -> str:
    if "must be lowercase" in error.message:
        name = text if "/" in text else DOCKER_LIBRARY + text
        return f"invalid reference format: repository name ({name.partition(':')[0]}) must be lowercase"
    return "invalid reference format"


def has_tag(name: str) -> bool:
    """Return whether a name says which image of its repository it means."""
    return "@" in name or ":" in name.rpartition("/")[2]


def tagged(name: str) -> str:
    """Return a name with the tag `latest` if it has none."""
    return name if has_tag(name) else f"{name}:latest"


def familiar(name: str) -> str:
    """Return a full name as Docker shows it."""
    if not name.startswith(_DOCKER):
        return name
    return name.removeprefix(_DOCKER).removeprefix(DOCKER_LIBRARY)


def find(call: Call, text: str) -> tuple[ImageRecord, str]:
    """Return the image or index of a name or id, and the full name by which it was found ("": by its id).

    Raises HttpError in dockerd's words.
    """
    try:
        return find_named(call.runtime.store, call.runtime.paths, text)
    except NotANameError:
        full(text)  # raises HttpError
        raise HttpError(400, "invalid reference format") from None
    except NoSuchImageError:
        raise HttpError(404, f"No such image: {tagged(text)}") from None
