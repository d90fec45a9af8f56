"""Registries: auth, search, distribution."""

from __future__ import annotations

from podpy.api.call import Answer
from podpy.api.compat.images.access import credentials, verifies
from podpy.api.compat.images.names import full, tagged
from podpy.api.errors import HttpError
from podpy.errors import AuthenticationError, NotThereError, RegistryError
from podpy.image.registry.access import Access

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.api.call import Call

_MOST = 100
_DOCKER_HUB = ("", "https://index.docker.io/v1/", "index.docker.io")


def auth(call: Call) -> Answer:
    """Try a user's credentials at a registry. They aren't kept: the client does that."""
    body = call.json()
    address: str = body.get("serveraddress") or ""
    logins = call.runtime.registries.logins()
    key = logins.key("docker.io" if address in _DOCKER_HUB else address)
    if body.get("identitytoken"):
        raise HttpError(501, "identitytoken isn't supported: give username and password")
    try:
        logins.check(key, body.get("username") or "", body.get("password") or "", tls_verify=verifies(key))
    except AuthenticationError as error:
        raise HttpError(401, f"login attempt to {address or key} failed: {error.message}") from None
    except RegistryError as error:
        raise HttpError(500, error.message) from None
    return Answer({"IdentityToken": "", "Status": "Login Succeeded"})


def search(call: Call) -> Answer:
    """Search Docker Hub, or the registry that the term begins with."""
    term, limit = call.query["term"], call.query["limit"]
    if limit is not None and not 1 <= limit <= _MOST:
        raise HttpError(400, f"limit {limit} is outside the range of [1, {_MOST}]")
    if not term:
        raise HttpError(400, "no search term is given")
    host, slash, _ = term.partition("/")
    place = term if slash and ("." in host or ":" in host or host == "localhost") else f"docker.io/{term}"
    access = Access(credentials=credentials(call), tls_verify=verifies(place))
    try:
        found = call.runtime.registries.search(place, access, filters=call.query["filters"], limit=limit or 0)
    except RegistryError as error:
        raise HttpError(500, error.message) from None
    return Answer(
        [
            {
                "star_count": each.stars,
                "is_official": each.official,
                "name": each.name.removeprefix("docker.io/").removeprefix("library/"),
                "is_automated": each.automated,
                "description": each.description,
            }
            for each in found
        ]
    )


def distribution(call: Call) -> Answer:
    """Tell what a registry has under a name: its manifest, and for which platforms."""
    name = tagged(full(call.name))
    access = Access(credentials=credentials(call), tls_verify=verifies(name))
    try:
        found = call.runtime.registries.describe(name, access)
    except NotThereError:
        raise HttpError(404, "manifest unknown: manifest unknown") from None
    except AuthenticationError as error:
        raise HttpError(401, error.message) from None
    except RegistryError as error:
        raise HttpError(500, error.message) from None
    return Answer(
        {
            "Descriptor": {"mediaType": found.media_type, "digest": found.digest, "size": found.size},
            "Platforms": [
                {
                    "architecture": each.architecture,
                    "os": each.os,
                    **({"variant": each.variant} if each.variant else {}),
                }
                for each in found.platforms
            ],
        }
    )
