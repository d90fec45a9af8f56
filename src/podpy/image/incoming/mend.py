"""Damaged layers: found by their digests, and fetched again one by one (`podpy system check`).

A layer is all that is fetched again, never the image: the manifests in the store name it by its digest, and its diff
id says what must come out. Inside the user's namespaces.
"""

from __future__ import annotations

import os

from podpy.errors import (
    ConfigError,
    DigestMismatchError,
    ImageError,
    NoSuchImageError,
    NotThereError,
    PodpyError,
    StorageError,
)
from podpy.image.documents import schema
from podpy.image.names.reference import LOCALHOST, parse
from podpy.image.outgoing.layer_source import LayerBlob, outgoing_layers
from podpy.image.progress import SILENT, Progress
from podpy.storage.check import Finding

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from podpy.config.paths import Paths
    from podpy.image.documents.schema import Descriptor
    from podpy.image.incoming.pipeline import IncomingLayer
    from podpy.image.names.reference import Reference
    from podpy.image.outgoing.layer_source import OutgoingLayer
    from podpy.image.registry.read import Repository
    from podpy.storage.images import ImageRecord
    from podpy.storage.store import Store


def verify(store: Store) -> list[Finding]:
    """Read every layer and every kept blob of an image, and return those that aren't what their digests say.

    Layers whose directory is missing are `Store.check`'s to find.
    """
    findings: dict[str, Finding] = {}
    for record in store.images():
        try:
            layers = outgoing_layers(store, record)
        except (PodpyError, OSError):
            continue  # it was removed meanwhile, or it is what `Store.check` finds
        for layer in layers:
            path = store.layer_path(layer.chain_id)
            if layer.chain_id not in findings and os.path.isdir(path):
                findings[layer.chain_id] = Finding(what=_damage(store, layer, path), layer=layer.chain_id)
    return [finding for finding in findings.values() if finding.what]


def _damage(store: Store, layer: OutgoingLayer, path: str) -> str:
    """Return what is wrong with a layer; empty if nothing is."""
    name = f"layers/{os.path.basename(path)} ({layer.chain_id})"
    try:
        if store.stored_layer(layer.chain_id).recipe:
            for _ in layer.tar():
                pass
            return ""
        if layer.blob is None:
            return f"{name} can't be saved or pushed: neither its blob nor a recipe is here"
        different = _compare_with_blob(store, layer, layer.blob, path)
    except DigestMismatchError as error:
        return f"{name}: {error.message}"
    except (PodpyError, OSError) as error:
        return f"{name} can't be read: {error}"
    return "" if different is None else f"{name} isn't what it was: {different} is another one"


def _compare_with_blob(store: Store, layer: OutgoingLayer, blob: LayerBlob, path: str) -> str | None:
    from podpy.storage.layers.compare import first_difference

    fresh = store.begin_layer(chain_id=layer.chain_id, parent="", diff_id=layer.diff_id, recipe=False)
    try:
        for piece in blob.tar():
            fresh.write(piece)
        fresh.finish()
        return first_difference(path, fresh.path)
    finally:
        fresh.abort()


def bring(store: Store, paths: Paths, chain_id: str, *, check: Callable[[], None], progress: Progress = SILENT) -> None:
    """Put a layer in its place again: from its kept blob if that is whole, else from the registry of an image that has
    it. `check`: raises if the one that is there may not go, asked in the transaction that replaces it.

    Raises ImageError, RegistryError, StorageError: why it can't be had.
    """
    put = _Place(store, check, progress)
    images = [store.find_image(image_id) for image_id in store.images_table.with_layer(chain_id)]
    if not images:
        raise NoSuchImageError(f"no image has layer {chain_id}", hint="Run: podpy system check --repair")
    image = images[0]
    store.has_layer(chain_id)
    blob = _whole_blob(store, image, chain_id)
    if blob is not None:
        return put(image, _source(image, chain_id, blob, None))
    failures: list[PodpyError] = []
    for record in images:
        for name in record.names:
            reference = parse(name)
            if reference.domain in ("", LOCALHOST):
                continue
            try:
                return _fetch(put, paths, record, reference, chain_id)
            except (ImageError, ConfigError) as error:
                failures.append(error)
    if failures:
        raise failures[0]
    raise ImageError(f"image {image.id[:12]} has no name in a registry", hint="Load or build it again")


def _whole_blob(store: Store, image: ImageRecord, chain_id: str) -> LayerBlob | None:
    """Return a kept blob of the layer, if its digest is right; a damaged one goes, so that it is fetched again."""
    layer = outgoing_layers(store, image)[image.layers.index(chain_id)]
    blob = layer.blob
    try:
        for _ in blob.chunks() if blob is not None else ():
            pass
    except (DigestMismatchError, OSError):
        assert blob is not None
        store.forget_blob(blob.digest)
        return None
    return blob


def _fetch(put: _Place, paths: Paths, image: ImageRecord, reference: Reference, chain_id: str) -> None:
    from podpy.image.names.registries import registries_of
    from podpy.image.registry.access import PullOptions
    from podpy.image.registry.remote import PullSources

    pull_sources = PullSources(paths, reference, registries_of(paths), PullOptions(), progress=put.progress)
    for source in pull_sources:
        with source as repository:
            return _receive(put, image, repository, chain_id)
    raise pull_sources.error()


def _receive(put: _Place, image: ImageRecord, repository: Repository, chain_id: str) -> None:
    """Receive a layer under the digest that one of the image's manifests has for it: whichever the registry has."""
    position = image.layers.index(chain_id)
    error: ImageError = ImageError(f"image {image.id[:12]} has no manifest that names its layers", hint="Pull it again")
    for digest in reversed(image.digests):
        data = put.store.images_table.manifest(digest)
        manifest = schema.parse(data) if data else None
        if not isinstance(manifest, schema.Manifest) or len(manifest.layers) != len(image.layers):
            continue
        repository.check_policy(data)
        entry = manifest.layers[position]
        try:
            return put(image, _source(image, chain_id, entry, repository))
        except NotThereError as failed:
            error = failed
    raise error


def _source(
    image: ImageRecord, chain_id: str, blob: Descriptor | LayerBlob, repository: Repository | None
) -> IncomingLayer:
    from podpy.image.documents.config import ImageConfig
    from podpy.image.incoming.pipeline import IncomingLayer

    def read(offset: int) -> Iterator[bytes]:
        if repository is not None:
            return repository.blob(blob.digest, blob.size, offset)
        assert isinstance(blob, LayerBlob)
        return blob.chunks(offset)

    number = image.layers.index(chain_id)
    return IncomingLayer(
        diff_id=ImageConfig.parse(image.config).diff_ids[number],
        chain_id=chain_id,
        parent=image.layers[number - 1] if number else "",
        digest=blob.digest,
        size=blob.size,
        read=read,
    )


class _Place:
    """Receives a layer and puts it in its place."""

    def __init__(self, store: Store, check: Callable[[], None], progress: Progress) -> None:
        self.store = store
        self._check = check
        self.progress = progress

    def __call__(self, image: ImageRecord, source: IncomingLayer) -> None:
        """Do it. Raises StorageError, and what the check raises."""
        from podpy.image.incoming.pipeline import receive

        received = receive(self.store, [source], progress=self.progress)
        try:
            self.store.replace_layer(image, received.layers[0], received.blobs, self._check)
        except OSError as error:
            raise StorageError(f"layer {source.chain_id} can't be put in its place: {error.strerror}") from None
