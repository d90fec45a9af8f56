"""`podpy artifact push`: an artifact goes out as it is, bit for bit."""

from __future__ import annotations

from functools import partial

from podpy.errors import ImageError, StorageError
from podpy.image.documents import schema
from podpy.image.incoming.assemble import Blob
from podpy.image.lists.artifact import find_named, full_name
from podpy.image.names.reference import DOCKER_DOMAIN
from podpy.image.names.registries import registries_of
from podpy.image.progress import SILENT, Progress
from podpy.image.registry.remote import write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from podpy.config.paths import Paths
    from podpy.image.archive.list_directories import Directory
    from podpy.image.registry.access import Access
    from podpy.image.registry.write import WritableRepository
    from podpy.storage.artifacts import ArtifactRecord
    from podpy.storage.store import Store

_READ = 1 << 20


def push(store: Store, paths: Paths, name: str, access: Access, *, progress: Progress = SILENT) -> str:
    """Send the artifact of this name to where the name says (a short one: docker.io), and return its digest.

    Inside the user's namespaces. Raises NoSuchArtifactError, RegistryError, AuthenticationError, ConfigError,
    StorageError.
    """
    reference = full_name(name, DOCKER_DOMAIN)
    record = find_named(store, name)

    def send(repository: WritableRepository) -> str:
        return _send(store, repository, record, reference.digest or reference.tag, progress)

    try:
        return write(paths, reference, registries_of(paths), access, send, progress=progress)
    finally:
        progress.close()


def _send(store: Store, repository: WritableRepository, record: ArtifactRecord, tag: str, progress: Progress) -> str:
    document = schema.parse(record.manifest, artifacts=True)
    if not isinstance(document, schema.Manifest):
        raise ImageError(f"{record.name}: it is not an artifact but an index")
    send_blobs(store, repository, document, progress)
    progress.config(document.config.digest)
    progress.committing()
    return repository.put_manifest(record.manifest, document.media_type, tag)


def send_blobs(
    store: Store, repository: WritableRepository | Directory, document: schema.Manifest, progress: Progress
) -> None:
    """Send all blobs of an artifact from the store. Raises StorageError, RegistryError."""
    for part in (document.config, *document.layers):
        store.has_blob(part.digest)  # the lease: an rm at the same time takes away none of them
    for part in {part.digest: part for part in document.layers}.values():
        repository.put_blob(_blob(store, part), progress=progress)
    repository.put_blob(_blob(store, document.config))


def _blob(store: Store, part: schema.Descriptor) -> Blob:
    return Blob(digest=part.digest, size=part.size, read=partial(_chunks, store.blob_path(part.digest)))


def _chunks(path: str, offset: int) -> Iterator[bytes]:
    try:
        with open(path, "rb", buffering=0) as file:
            file.seek(offset)
            while chunk := file.read(_READ):
                yield chunk
    except OSError as error:
        raise StorageError(f"{path}: {error.strerror}", hint="Pull or add the artifact again") from None
