"""`X-Registry-Auth`: a client's login for a registry, as base64url of JSON (docs of Docker's API, "Authentication")."""

from __future__ import annotations

import base64
import binascii

from podpy import fastjson
from podpy.api.errors import HttpError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.api.call import Call

_WRONG = "X-Registry-Auth must be base64 of a JSON object"


def fields(call: Call, reference: str) -> dict[str, Any]:
    """Return Access's fields: the client's login and whether it wants TLS to be verified. Raises HttpError.

    A header with several registries' logins (Podman's clients) is searched for the one of `reference`. Without any, the
    user's own logins are used.
    """
    found: dict[str, Any] = {"tls_verify": call.query["tlsVerify"]}
    said = _said(call.request.headers.get("x-registry-auth", ""))
    if said and "username" not in said and "identitytoken" not in said and "auth" not in said:
        said = said.get(reference.partition("/")[0]) or {}
        if not isinstance(said, dict):
            raise HttpError(400, _WRONG)
    user, password, token = (said.get(name) or "" for name in ("username", "password", "identitytoken"))
    if not all(isinstance(each, str) for each in (user, password, token)):
        raise HttpError(400, _WRONG)
    if token or (user and password):
        from podpy.libpod.images.registries import parse_pair

        found["credentials"] = type(parse_pair("a:b"))(user, password, token)
    return found


def _said(text: str) -> dict[str, Any]:
    if not text:
        return {}
    try:
        value = fastjson.loads_strict(base64.b64decode(text + "===", altchars=b"-_"))
    except (ValueError, binascii.Error):
        raise HttpError(400, _WRONG) from None
    if not isinstance(value, dict):
        raise HttpError(400, _WRONG)
    return value
