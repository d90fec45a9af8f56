"""The credentials of a request (X-Registry-Auth), and how its registry may be spoken to."""

from __future__ import annotations

import base64
import ipaddress

from podpy import fastjson
from podpy.errors import NotSupportedError
from podpy.libpod.images.registries import Credentials

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.api.call import Call


def credentials(call: Call) -> Credentials | None:
    """Return the credentials that a request brings; None: it has none, or garbage, which dockerd takes for none.

    Raises NotSupportedError for a token of an identity provider.
    """
    text = call.request.headers.get("x-registry-auth", "")
    try:
        said = fastjson.loads_strict(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except ValueError:
        return None
    if not isinstance(said, dict):
        return None
    if said.get("identitytoken"):
        raise NotSupportedError("X-Registry-Auth: an identity token isn't supported, only a user's name and password")
    username, password = said.get("username"), said.get("password")
    if not isinstance(username, str) or not isinstance(password, str) or not username:
        return None
    return Credentials(username, password)


def verifies(name: str) -> bool | None:
    """Return False for a registry of this machine's loopback, which dockerd needs no certificate of; None: as
    configured.
    """
    host = name.partition("/")[0]
    host = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    if host == "localhost":
        return False
    try:
        return False if ipaddress.ip_address(host).is_loopback else None
    except ValueError:
        return None
