"""Where an image or a manifest list can be read from without bringing it into the store: what `manifest add` takes.

NAME                        the store; if it isn't there, the registry
containers-storage:NAME     the store
docker://NAME               the registry
oci:DIRECTORY[:REF]         an OCI layout; oci-archive:FILE[:REF]: the same in a tar
"""

from __future__ import annotations

import os

from podpy.digests import check_bytes
from podpy.errors import ImageError, NoSuchImageError, NotSupportedError
from podpy.image.archive import read as archive
from podpy.image.archive.tree import open_tree
from podpy.image.documents import schema
from podpy.image.names import transports
from podpy.image.names.lookup import find_named
from podpy.image.names.reference import REGISTRY, STORE
from podpy.image.names.registries import registries_of
from podpy.image.names.short import for_pull
from podpy.image.progress import SILENT, Progress
from podpy.image.registry import remote

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TypeVar

    from podpy.config.paths import Paths
    from podpy.image.archive.tree import Tree
    from podpy.image.names.transports import TransportReference
    from podpy.image.registry.access import Access
    from podpy.image.registry.read import Repository
    from podpy.image.trust import PolicyContext
    from podpy.storage.images import ImageRecord
    from podpy.storage.store import Store

    T = TypeVar("T")


class ImageSource:
    """An image or a list in one location. `text` names it with its transport."""

    text: str

    def manifest(self, digest: str = "") -> tuple[bytes, str]:
        """Return the bytes and media type of what the name means, or of one of its entries. Raises ImageError."""
        raise NotImplementedError

    def small_blob(self, descriptor: schema.Descriptor, limit: int) -> bytes:
        """Return a configuration's bytes, checked. Raises ImageError, DigestMismatchError."""
        raise NotImplementedError


class ForeignSource(ImageSource):
    """One that isn't the store's: its blobs can be copied on."""

    def blob(self, digest: str, size: int, offset: int) -> Iterator[bytes]:
        """Yield a blob's bytes from `offset` on."""
        raise NotImplementedError

    def check_policy(self, manifest: bytes) -> None:
        """Return if policy.json lets what has this manifest be copied on. Raises TrustError."""
        raise NotImplementedError


class RegistrySource(ForeignSource):
    """A tag or digest in a registry."""

    def __init__(self, repository: Repository, name: str, wanted: str) -> None:
        self.text = REGISTRY + name
        self.repository = repository
        self._wanted = wanted

    def manifest(self, digest: str = "") -> tuple[bytes, str]:
        return self.repository.manifest(digest or self._wanted)

    def small_blob(self, descriptor: schema.Descriptor, limit: int) -> bytes:
        return self.repository.small_blob(descriptor, limit)

    def blob(self, digest: str, size: int, offset: int) -> Iterator[bytes]:
        return self.repository.blob(digest, size, offset)

    def check_policy(self, manifest: bytes) -> None:
        self.repository.check_policy(manifest)


class StoreSource(ImageSource):
    """An image or list of the store."""

    def __init__(self, store: Store, record: ImageRecord) -> None:
        self.text = f"{STORE}{record.id}"
        self.record = record
        self._store = store

    def manifest(self, digest: str = "") -> tuple[bytes, str]:
        if not digest or digest == self.record.digest:
            return self.record.manifest, ""
        data = self._store.images_table.manifest(digest)
        if not data:
            raise ImageError(f"{digest} isn't in the store", hint="Pull it, or add it from where it is: docker://NAME")
        return data, ""

    def small_blob(self, descriptor: schema.Descriptor, limit: int) -> bytes:
        return self._store.find_image(descriptor.hex).config


class LayoutSource(ForeignSource):
    """An image or list of an OCI layout."""

    def __init__(self, tree: Tree, transport: TransportReference, policy: PolicyContext) -> None:
        self.text = str(transport)
        self._tree = tree
        self._transport = transport
        self._policy = policy

    def manifest(self, digest: str = "") -> tuple[bytes, str]:
        kind = ""
        if not digest:
            entry = self._entry()
            digest, kind = entry.digest, entry.media_type
        data = self._tree.read(self._file(digest), schema.MANIFEST_LIMIT)
        return check_bytes(data, digest, "a manifest"), kind

    def small_blob(self, descriptor: schema.Descriptor, limit: int) -> bytes:
        data = self._tree.read(self._file(descriptor.digest), limit)
        return check_bytes(data, descriptor.digest, "a configuration")

    def blob(self, digest: str, size: int, offset: int) -> Iterator[bytes]:
        return self._tree.chunks(self._file(digest), offset)

    def check_policy(self, manifest: bytes) -> None:
        self._policy.check_policy(manifest)

    def _entry(self) -> schema.Descriptor:
        index = archive.read_index(self._tree)
        entries = [entry for _, entry in archive.choose_oci(index.manifests, self._transport)]
        if len(entries) != 1:
            raise ImageError("more than one image in oci, choose an image", hint="Append :NAME or :@NUMBER")
        return entries[0]

    def _file(self, digest: str) -> str:
        return transports.blob_name(digest)


class DirectorySource(LayoutSource):
    """An image or list of a `dir:` directory."""

    def manifest(self, digest: str = "") -> tuple[bytes, str]:
        entry = f"{self._file(digest)}.manifest.json"
        data = self._tree.read(entry if self._tree.has(entry) else "manifest.json", schema.MANIFEST_LIMIT)
        return check_bytes(data, digest, "a manifest") if digest else data, ""

    def check_policy(self, manifest: bytes) -> None:
        self._policy.check_policy(manifest, lambda: archive.dir_signatures(self._tree, self._transport, manifest))

    def _file(self, digest: str) -> str:
        return digest.partition(":")[2]


def use(
    store: Store,
    paths: Paths,
    text: str,
    access: Access,
    work: Callable[[ImageSource], T],
    *,
    progress: Progress = SILENT,
) -> T:
    """Return what `work` makes of the source that `text` names (see above).

    Raises NoSuchImageError, ImageError, RegistryError, NotSupportedError, ConfigError.
    """
    if transports.is_transport(text):
        return _use_transport(store, text, access, work)
    if not text.startswith(REGISTRY):
        try:
            return work(StoreSource(store, find_named(store, paths, text)[0]))
        except NoSuchImageError:
            if text.startswith(STORE):
                raise
    return _use_registry(paths, text.removeprefix(REGISTRY), access, work, progress)


def _use_registry(paths: Paths, name: str, access: Access, work: Callable[[ImageSource], T], progress: Progress) -> T:
    registries = registries_of(paths)
    failures: list[ImageError] = []
    for reference in for_pull(name, registries).names:
        try:
            pull_sources = remote.PullSources(paths, reference, registries, access, progress=progress)
            for source in pull_sources:
                with source as repository:
                    return work(RegistrySource(repository, str(reference), reference.digest or reference.tag))
            raise pull_sources.error()
        except ImageError as error:
            failures.append(error)
    raise failures[0]


def _use_transport(store: Store, text: str, access: Access, work: Callable[[ImageSource], T]) -> T:
    transport = transports.parse_transport(text)
    if transport.kind == transports.DOCKER_ARCHIVE:
        raise NotSupportedError(
            f"{text}: a list can't refer to an image of a docker-archive", hint="podpy load it, and give its name"
        )
    transport = transport.replace(path=os.path.abspath(transport.path))  # a list must find it again from elsewhere
    if not os.path.exists(transport.path):
        raise ImageError(f"{transport.path}: no such file or directory")
    tree = open_tree(store, transport.path)
    try:
        policy = archive.policy_of(store, transport, access.signature_policy)
        policy.refuse_rejected()
        kind = DirectorySource if transport.kind == transports.DIR else LayoutSource
        return work(kind(tree, transport, policy))
    finally:
        tree.close()
