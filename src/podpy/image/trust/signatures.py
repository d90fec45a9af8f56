"""Reads an image's signatures. They are still untrusted here.

Lookaside storage (containers-registries.d(5)): URL/PATH@sha256=HEX/signature-1, -2 … until one is missing; URL is
http(s):// or file://. sigstore attachments: an OCI image in the same repository under the tag sha256-HEX.sig, one layer
for each signature. A `dir:` image has signature-1 … beside its manifest; an index's entry has HEX.signature-1 ….
"""

from __future__ import annotations

from binascii import Error, a2b_base64

from podpy import fastjson
from podpy.errors import ImageError
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from podpy.config.paths import Paths
    from podpy.image.names.reference import Reference
    from podpy.image.registry.http import Connection
    from podpy.image.registry.read import Repository

COSIGN_MEDIA_TYPE = "application/vnd.dev.cosign.simplesigning.v1+json"
SIMPLE_SIGNING = "simple-signing"
_SIGSTORE_FORMAT = b"sigstore-json"
_LIMIT = 4 << 20  # one signature
_MOST = 128  # signatures of one image
_LIMIT_OF_ALL = 16 << 20
# Possible first bytes of a signed OpenPGP message: a compressed, one-pass signature or signature packet.
_OPENPGP = frozenset(bytes.fromhex("a0a1a2a3c8909192c488898a8bc2"))


class Signature(Record):
    """A signature: `kind` is `simple-signing` (data: the OpenPGP message) or an attachment's media type (payload)."""

    kind: str
    data: bytes
    annotations: dict[str, str] = {}


def from_blob(blob: bytes, where: str) -> Signature:
    """Return the signature in a file: an OpenPGP message, or a zero byte, the format's name, a newline and its data.

    Raises ImageError.
    """
    if blob[:1] == b"\0":
        name, newline, rest = blob[1:].partition(b"\n")
        if newline and name == SIMPLE_SIGNING.encode():
            return Signature(kind=SIMPLE_SIGNING, data=rest)
        if newline and name == _SIGSTORE_FORMAT:
            return _from_json(rest, where)
    elif blob and blob[0] in _OPENPGP:
        return Signature(kind=SIMPLE_SIGNING, data=blob)
    raise ImageError(f"{where}: unrecognized signature format")


def from_registry(
    paths: Paths, repository: Repository, place: Reference, digest: str, connect: Callable[[str], Connection]
) -> list[Signature]:
    """Return all signatures of a manifest in a repository: those of its lookaside storage, and its attachments.

    `place` is the image's real location (a mirror's name, if it comes from one); `connect` returns a connection to
    another host. Raises ConfigError (registries.d), ImageError, RegistryError.
    """
    from podpy.config import registries_d
    from podpy.image.trust.scopes import docker_scopes

    configuration = registries_d.load(paths.home, paths.uid)
    scopes = docker_scopes(place)
    base = configuration.lookaside(scopes) or _default_lookaside(paths)
    found = from_lookaside(base, place.path, digest, connect)
    if configuration.use_sigstore_attachments(scopes):
        found += from_attachments(repository, digest)
    return found


def _default_lookaside(paths: Paths) -> str:
    from urllib.parse import quote

    own = f"{paths.home}/.local/share" if paths.rootless else "/var/lib"
    return f"file://{quote(own)}/containers/sigstore"


def from_lookaside(base: str, path: str, digest: str, connect: Callable[[str], Connection]) -> list[Signature]:
    """Return a lookaside storage's signatures for the manifest `digest` of the repository `path`.

    Raises ImageError, RegistryError.
    """
    from urllib.parse import quote, unquote, urlsplit

    parts = urlsplit(base)
    directory = f"/{path}@{digest.replace(':', '=')}"
    if parts.scheme == "file":
        return from_directory(unquote(parts.path) + directory)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise ImageError(f"{base}: a lookaside must be a file://, http:// or https:// URL")
    with connect(parts.netloc) as connection:
        return _numbered(base.rstrip("/") + quote(directory, safe="/@=") + "/", lambda url: _get(connection, url))


def from_directory(path: str, prefix: str = "") -> list[Signature]:
    """Return the signatures in a directory (a `dir:` image, a file:// lookaside). Raises ImageError.

    `prefix` is the beginning of the files' names for an index's entry in a `dir:` directory.
    """
    return _numbered(f"{path}/{prefix}", _read_file)


def from_attachments(repository: Repository, digest: str) -> list[Signature]:
    """Return the sigstore attachments of a manifest. Raises ImageError, RegistryError."""
    from podpy.errors import NotThereError
    from podpy.image.documents import schema

    tag = digest.replace(":", "-") + ".sig"
    try:
        data, kind = repository.manifest(tag)
    except NotThereError:
        return []
    manifest = schema.parse(data, kind)
    if not isinstance(manifest, schema.Manifest) or manifest.media_type != schema.OCI_MANIFEST:
        raise ImageError(f"{repository.name}:{tag} is not an OCI image: no sigstore attachment")
    if len(manifest.layers) > _MOST:
        raise ImageError(f"{repository.name}:{tag} has more than {_MOST} signatures")
    if sum(max(layer.size, 0) for layer in manifest.layers) > _LIMIT_OF_ALL:
        raise ImageError(f"{repository.name}:{tag}: the signatures have more than {_LIMIT_OF_ALL} bytes")
    found = []
    for layer in manifest.layers:
        if not 0 <= layer.size <= _LIMIT:
            raise ImageError(f"{repository.name}:{tag}: a signature has no size, or more than {_LIMIT} bytes")
        payload = repository.small_blob(layer, _LIMIT)
        found.append(Signature(kind=layer.media_type, data=payload, annotations=layer.annotations))
    return found


def _numbered(place: str, read: Callable[[str], bytes | None]) -> list[Signature]:
    found: list[Signature] = []
    for number in range(1, _MOST + 1):
        where = f"{place}signature-{number}"
        blob = read(where)
        if blob is None:
            return found
        found.append(from_blob(blob, where))
        if sum(len(signature.data) for signature in found) > _LIMIT_OF_ALL:
            raise ImageError(f"{place}: the signatures have more than {_LIMIT_OF_ALL} bytes")
    raise ImageError(f"{place}: more than {_MOST} signatures: that isn't reasonable")


def _read_file(path: str) -> bytes | None:
    try:
        with open(path, "rb") as file:
            blob = file.read(_LIMIT + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ImageError(f"{path}: {error.strerror}") from None
    if len(blob) > _LIMIT:
        raise ImageError(f"{path}: more than {_LIMIT} bytes")
    return blob


def _get(connection: Connection, url: str) -> bytes | None:
    from podpy.image.registry.http import drop, read_body

    response = connection.open_url("GET", url, {}, what=f"signature {url}")
    if response.status == 404:
        drop(response)
        return None
    if response.status != 200:
        raise ImageError(f"reading signature from {url}: the server answered {response.status}")
    return read_body(response, _LIMIT)


def _from_json(data: bytes, where: str) -> Signature:
    try:
        document = fastjson.loads(data)
        payload = a2b_base64(document["payload"], strict_mode=True)
        kind, annotations = document["mimeType"], document.get("annotations") or {}
    except (ValueError, KeyError, TypeError, AttributeError, Error, RecursionError):
        raise ImageError(f"{where}: not a sigstore signature") from None
    texts = [kind, *annotations, *annotations.values()] if isinstance(annotations, dict) else [None]
    if not all(isinstance(text, str) for text in texts):
        raise ImageError(f"{where}: not a sigstore signature")
    return Signature(kind=kind, data=payload, annotations=annotations)
