"""Where an image or a manifest list can be read from without bringing it into the store: what `manifest add` takes.

NAME                        the store; if it isn't there, the registry
containers-storage:NAME     the store
docker://NAME               the registry
oci:DIRECTORY[:REF]         an OCI layout; oci-archive:FILE[:REF]: the same in a tar
"""

from __future__ import annotations

import os

from podpy.errors import ImageError, NoSuchImageError, NotSupportedError
from podpy.image import remote, schema
from podpy.image.lookup import find_named, registries_of
from podpy.image.progress import SILENT, Progress
from podpy.image.resolve import for_pull

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TypeVar

    from podpy.config.paths import Paths
    from podpy.image.archive_tree import Tree
    from podpy.image.reference import Reference
    from podpy.image.registry import Repository
    from podpy.image.remote import Access
    from podpy.storage.images import ImageRecord
    from podpy.storage.store import Store

    T = TypeVar("T")

STORE = "containers-storage:"
REGISTRY = "docker://"
_LAYOUTS = ("oci:", "oci-archive:")
_OTHERS = ("dir:", "docker-archive:", "docker-daemon:", "docker-tar:")


class Source:
    """One place with an image or a list in it. `text` names it with its transport."""

    text: str

    def manifest(self, digest: str = "") -> tuple[bytes, str]:
        """Return the bytes and media type of what the name means, or of one of its entries. Raises ImageError."""
        raise NotImplementedError

    def small_blob(self, descriptor: schema.Descriptor, limit: int) -> bytes:
        """Return a configuration's bytes, checked. Raises ImageError, DigestMismatchError."""
        raise NotImplementedError

    def blob(self, digest: str, size: int, offset: int) -> Iterator[bytes]:
        """Yield a blob's bytes from `offset` on."""
        raise NotImplementedError


class RegistrySource(Source):
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


class StoreSource(Source):
    """An image or list of the store."""

    def __init__(self, store: Store, record: ImageRecord) -> None:
        self.text = f"{STORE}{record.id}"
        self.record = record
        self._store = store

    def manifest(self, digest: str = "") -> tuple[bytes, str]:
        if not digest or digest == self.record.digest:
            return self.record.manifest, ""
        rows = self._store.database.query("SELECT manifest FROM images WHERE digest = ?", (digest,))
        if not rows:
            raise ImageError(f"{digest} isn't in the store", hint="Pull it, or add it from where it is: docker://NAME")
        return bytes(rows[0][0]), ""

    def small_blob(self, descriptor: schema.Descriptor, limit: int) -> bytes:
        return self._store.find_image(descriptor.hex).config


class LayoutSource(Source):
    """An image of an OCI layout."""

    def __init__(self, tree: Tree, text: str, entry: schema.Descriptor) -> None:
        self.text = text
        self._tree = tree
        self._entry = entry

    def manifest(self, digest: str = "") -> tuple[bytes, str]:
        from podpy.image.assemble import check_bytes

        wanted = digest or self._entry.digest
        data = self._tree.read(_blob_file(wanted), schema.MANIFEST_LIMIT)
        return check_bytes(data, wanted, "a file of the archive"), "" if digest else self._entry.media_type

    def small_blob(self, descriptor: schema.Descriptor, limit: int) -> bytes:
        from podpy.image.assemble import check_bytes

        return check_bytes(self._tree.read(_blob_file(descriptor.digest), limit), descriptor.digest, "a configuration")

    def blob(self, digest: str, size: int, offset: int) -> Iterator[bytes]:
        return self._tree.chunks(_blob_file(digest), offset)


def use(
    store: Store,
    paths: Paths,
    text: str,
    access: Access,
    work: Callable[[Source], T],
    *,
    progress: Progress = SILENT,
) -> T:
    """Return what `work` makes of the source that `text` names (see above).

    Raises NoSuchImageError, ImageError, RegistryError, NotSupportedError, ConfigError.
    """
    if text.startswith(_OTHERS):
        transport = text.partition(":")[0]
        raise NotSupportedError(
            f"{text}: a list can't refer to {transport}: images", hint="podpy load it, and give its name"
        )
    if text.startswith(_LAYOUTS):
        return _use_layout(store, text, work)
    if not text.startswith(REGISTRY):
        try:
            return work(StoreSource(store, find_named(store, paths, text)[0]))
        except NoSuchImageError:
            if text.startswith(STORE):
                raise
    return _use_registry(paths, text.removeprefix(REGISTRY), access, work, progress)


def _use_registry(paths: Paths, name: str, access: Access, work: Callable[[Source], T], progress: Progress) -> T:
    registries = registries_of(paths)
    failures: list[ImageError] = []
    for reference in for_pull(name, registries).names:
        try:
            return remote.read(paths, reference, registries, access, _reader(reference, work), progress=progress)
        except ImageError as error:
            failures.append(error)
    raise failures[0]


def _reader(reference: Reference, work: Callable[[Source], T]) -> Callable[[Repository], T]:
    return lambda repository: work(RegistrySource(repository, str(reference), reference.digest or reference.tag))


def _use_layout(store: Store, text: str, work: Callable[[Source], T]) -> T:
    from podpy.image.archive_tree import open_tree

    transport, _, rest = text.partition(":")
    path, name = (rest, "") if os.path.exists(rest) else (rest.rpartition(":")[0], rest.rpartition(":")[2])
    if not path or not os.path.exists(path):
        raise ImageError(f"{rest}: no such file or directory")
    tree = open_tree(store, os.path.abspath(path))
    try:
        entry = _find_entry(tree, path, name)
        return work(LayoutSource(tree, f"{transport}:{os.path.abspath(path)}" + (f":{name}" if name else ""), entry))
    finally:
        tree.close()


def _find_entry(tree: Tree, path: str, name: str) -> schema.Descriptor:
    from podpy.image.archive import REF_NAME

    index = schema.parse(tree.read("index.json", schema.MANIFEST_LIMIT), schema.OCI_INDEX)
    assert isinstance(index, schema.Index)
    entries = [entry for entry in index.manifests if not name or entry.annotations.get(REF_NAME) == name]
    if len(entries) != 1:
        there = ", ".join(entry.annotations.get(REF_NAME, entry.digest) for entry in index.manifests)
        what = f"no image {name}" if name else f"{len(entries)} images"
        raise ImageError(f"{path} has {what}", hint=f"Name one of them: {there}")
    return entries[0]


def _blob_file(digest: str) -> str:
    return f"blobs/{digest.replace(':', '/')}"
