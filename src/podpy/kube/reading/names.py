"""Names of objects: what Podman and Kubernetes both take."""

from __future__ import annotations

from podpy.libpod.containers.names import is_valid_name

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.yaml.places import Mapping

_LONGEST_NAME = 253
_SHOWN = 40


def check_name(where: Mapping, name: str) -> None:
    """Raise the error about the field `name`, if that is no name in Podman or longer than Kubernetes has any."""
    if not is_valid_name(name) or len(name) > _LONGEST_NAME:
        shown = name if len(name) <= _SHOWN else f"{name[:_SHOWN]}…"
        told = f'"{shown}": names must match [a-zA-Z0-9][a-zA-Z0-9_.-]*: invalid argument'
        raise where.wrong("name", told, hint=f"They have at most {_LONGEST_NAME} characters")
