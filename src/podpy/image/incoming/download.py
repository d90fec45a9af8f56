"""A file from a web server, by the transport that registries are asked by: one place that verifies certificates."""

from __future__ import annotations

from podpy.errors import ImageError, RegistryError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator


def download(address: str) -> Iterator[bytes]:
    """Yield the bytes of a file on a web server. Raises ImageError (no such file), RegistryError (no answer)."""
    from podpy.http.curl import HTTPError
    from podpy.image.registry.http import Connection, drop, split

    what = f"downloading {address}"
    connection = Connection(split(address).netloc)
    try:
        response = connection.open_url("GET", address, {}, what=what)
        if response.status != 200:
            drop(response)
            raise ImageError(f"{what}: the server answered {response.status}", hint="Check the address")
        yield from response.stream()
    except HTTPError as error:
        raise _no_answer(connection.explain(error, what), error) from None
    except RegistryError as error:
        raise _no_answer(error, error.__cause__) from None
    finally:
        connection.close()


def _no_answer(error: RegistryError, cause: BaseException | None) -> RegistryError:
    """Return the error with a hint for a web server: there is no registries.conf for it, and no --tls-verify."""
    from podpy.http.curl import HTTPError

    if not isinstance(cause, HTTPError) or cause.is_proxy or cause.is_unknown_host:
        return error
    hint = "Check the address, and that its server runs"
    if cause.is_not_tls:
        hint = "Write http:// in front of the address, if that is meant"
    elif cause.is_untrusted:
        hint = "Add its authority to the system's certificates"
    elif cause.is_unusable:
        hint = "Check SSL_CERT_FILE"
    elif cause.is_refused:
        hint = "Download it with a program that has a certificate to show, and take the file"
    return RegistryError(error.message, hint=hint)
