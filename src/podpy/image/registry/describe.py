"""What a registry has under a name, without fetching it: `GET /distribution/NAME/json` of Docker's API."""

from __future__ import annotations

from podpy.digests import sha256
from podpy.image.documents import schema
from podpy.image.documents.config import ImageConfig
from podpy.image.names.reference import parse
from podpy.image.names.registries import registries_of
from podpy.image.registry import remote
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.config.paths import Paths
    from podpy.image.documents.schema import Platform
    from podpy.image.registry.access import Access
    from podpy.image.registry.read import Repository

_CONFIG_LIMIT = 4 << 20


class RemoteImage(Record):
    """A manifest or index in a registry, and the platforms that it is for."""

    media_type: str
    digest: str
    size: int
    platforms: list[Platform]


def describe(paths: Paths, name: str, access: Access) -> RemoteImage:
    """Return what the registry has under a full name. Raises ImageError, RegistryError, TrustError."""
    reference = parse(name)
    sources = remote.PullSources(paths, reference, registries_of(paths), access)
    for source in sources:
        with source as repository:
            return _describe(repository, reference.digest or reference.tag)
    raise sources.error()


def _describe(repository: Repository, reference: str) -> RemoteImage:
    data, kind = repository.manifest(reference)
    document = schema.parse(data, kind)
    if isinstance(document, schema.Index):
        platforms = [entry.platform for entry in document.manifests if entry.platform is not None]
    else:
        config = ImageConfig.parse(repository.small_blob(document.config, _CONFIG_LIMIT))
        platforms = [schema.Platform(os=config.os, architecture=config.architecture, variant=config.variant)]
    return RemoteImage(media_type=document.media_type, digest=sha256(data), size=len(data), platforms=platforms)
