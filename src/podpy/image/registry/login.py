"""Checks credentials at a registry."""

from __future__ import annotations

from podpy.errors import AuthenticationError, RegistryError
from podpy.image.names.registries import registries_of
from podpy.image.registry.access import Access
from podpy.image.registry.challenge import Authenticator
from podpy.image.registry.http import drop
from podpy.image.registry.remote import connect

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.config.auth import Credentials
    from podpy.config.paths import Paths


def check_login(
    paths: Paths, registry: str, credentials: Credentials, *, tls_verify: bool | None = None, cert_dir: str = ""
) -> None:
    """Request /v2/ of `registry` (a host) with these credentials.

    Raises AuthenticationError if it rejects them, RegistryError if it can't be reached, ConfigError if registries.conf
    blocks it.
    """
    host = registry.partition("/")[0]
    access = Access(tls_verify=tls_verify, cert_dir=cert_dir)
    with connect(paths, host, registries_of(paths).insecure(host), access) as connection:
        authenticator = Authenticator(connection, credentials)
        header = ""
        for _ in range(2):
            headers = {"Authorization": header} if header else {}
            response = connection.open("GET", "/v2/", headers, what=registry)
            drop(response)
            if response.status == 200:
                return
            if response.status != 401:
                raise RegistryError(f"{registry}: answered {response.status} to a login")
            if not authenticator.answer(response, "", header):
                break
            header = authenticator.header("")
    raise AuthenticationError(f"logging into {registry}: invalid username/password", hint="Check them, and try again")
