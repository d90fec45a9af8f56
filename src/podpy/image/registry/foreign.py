"""Foreign and non-distributable layers: registries may not have them, so the manifest names their addresses (`urls`).

OCI image-spec, descriptor.md (`urls`) and layer.md (Non-Distributable Layers); Docker calls them foreign. The digest is
checked, so any sender will do. No credentials are sent there.
"""

from __future__ import annotations

from podpy.errors import NotThereError, RegistryError, shorten
from podpy.http.curl import HTTPError
from podpy.image.registry.http import Connection, drop, split
from podpy.image.registry.read import Repository

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from podpy.http.curl import Response
    from podpy.image.documents.schema import Descriptor

_AGAIN = "Pull again: it goes on from there"


def layer_bytes(repository: Repository, layer: Descriptor, offset: int) -> Iterator[bytes]:
    """Yield a layer's bytes from `offset` on: from the registry, or, if it doesn't have the layer, from the first
    address that answers. Raises RegistryError.
    """
    try:
        for chunk in repository.blob(layer.digest, layer.size, offset):
            offset += len(chunk)
            yield chunk
    except NotThereError as missing:
        failures = [f"the registry: {missing.message}"]
    else:
        return
    for url in layer.urls:
        try:
            yield from _from_url(url, layer, offset)
        except _NotUsableError as error:
            failures.append(str(error))
        else:
            return
    raise RegistryError(
        f"foreign layer {layer.digest} is nowhere: {shorten('; '.join(failures), 300)}",
        hint="Its manifest names addresses that don't have it any more",
    )


class _NotUsableError(Exception):
    """This address doesn't have the layer."""


def _from_url(url: str, layer: Descriptor, offset: int) -> Iterator[bytes]:
    try:
        parts = split(url)
    except RegistryError as error:
        raise _NotUsableError(error.message) from None
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise _NotUsableError(f"{shorten(url)}: not an http address")
    connection = Connection(parts.netloc)
    try:
        response = _open(connection, url, offset)
        skip = offset if response.status == 200 else 0
        left = layer.size - offset
        for chunk in response.stream():
            wanted = chunk[skip:]
            skip = max(0, skip - len(chunk))
            left -= len(wanted)
            if left < 0:
                raise RegistryError(f"{shorten(url)} sends more than the {layer.size} bytes that the manifest says")
            yield wanted
        if left:
            raise RegistryError(f"{shorten(url)} stopped {left} bytes before its end", hint=_AGAIN)
    except HTTPError as error:
        raise RegistryError(connection.explain(error, shorten(url)).message, hint=_AGAIN) from None
    finally:
        connection.close()


def _open(connection: Connection, url: str, offset: int) -> Response:
    headers = {"Range": f"bytes={offset}-"} if offset else {}
    try:
        response = connection.open_url("GET", url, headers, what=shorten(url))
    except RegistryError as error:
        raise _NotUsableError(error.message) from None
    if response.status not in (200, 206):
        drop(response)
        raise _NotUsableError(f"{shorten(url)} answered {response.status}")
    return response
