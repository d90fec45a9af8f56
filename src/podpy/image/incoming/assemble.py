"""An image's parts (manifest, configuration, layer sources) become an image in the store: what load and pull share."""

from __future__ import annotations

from time import time_ns

from podpy.digests import has_digest, sha256
from podpy.errors import ImageError, NoSuchImageError
from podpy.image.documents.config import ImageConfig
from podpy.image.progress import SILENT, Progress
from podpy.notice import note
from podpy.record import Record
from podpy.storage.images import ImageRecord
from podpy.times import nanoseconds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from podpy.image.incoming.pipeline import ReceivedLayers
    from podpy.storage.store import Store


class Blob(Record):
    """One layer's bytes: the blob's digest (empty: not kept), its size (-1: unknown), and how to read it."""

    digest: str
    size: int
    read: Callable[[int], Iterator[bytes]]


class ImageParts(Record):
    """One image on its way: bytes as they came, layers lowest first.

    `parents`: the parent index, and other manifests whose digests shall mean the image.
    """

    manifest: bytes
    config: bytes
    layers: list[Blob]
    parents: list[bytes] = []


def chain_ids(diff_ids: Sequence[str]) -> list[str]:
    """Return the chain id of each layer, lowest first (OCI image-spec, config.md, Layer ChainID)."""
    chains: list[str] = []
    for diff_id in diff_ids:
        chains.append(sha256(f"{chains[-1]} {diff_id}".encode()) if chains else diff_id)
    return chains


def assemble(store: Store, parts: ImageParts, *, names: Sequence[str], progress: Progress = SILENT) -> ImageRecord:
    """Bring in the layers that the store lacks, commit the image under `names` (full names), and return it.

    Raises ImageError if manifest and configuration don't fit, or a name's digest is another one, and what
    `pipeline.receive` raises.
    """
    _check_names(parts, names)
    image_id, digest = sha256(parts.config), sha256(parts.manifest)
    here = _as_it_is(store, image_id, digest, parts, names)
    if here is not None:
        digests = [blob.digest for blob in parts.layers]
        # Layers of an archive or an import have no blobs: progress names them by diff id, as when they arrive.
        for digest in digests if all(digests) else ImageConfig.parse(parts.config).diff_ids:
            progress.layer_exists(digest)
        progress.config(image_id)
        progress.committing()  # there is nothing to write; Podman says so, too
        return here
    config = ImageConfig.parse(parts.config)
    if len(config.diff_ids) != len(parts.layers):
        raise ImageError(
            f"the image's configuration names {len(config.diff_ids)} layers and its manifest {len(parts.layers)}"
        )
    chains = chain_ids(config.diff_ids)
    received = _receive_missing(store, parts, config.diff_ids, chains, progress)
    devices = sum(layer.skipped_devices for layer in received.layers) if received else 0
    if devices:
        note(f"{devices} device nodes of the image were left out: only real root can make them")
    progress.config(image_id)
    progress.committing()
    record = ImageRecord(
        id=image_id.partition(":")[2],
        digest=digest,
        manifest=parts.manifest,
        config=parts.config,
        layers=chains,
        created=_creation(config.created),
    )
    return store.commit_image(
        record,
        layers=received.layers if received else (),
        blobs=received.blobs if received else (),
        names=names,
        parents=parts.parents,
    )


def _receive_missing(
    store: Store, parts: ImageParts, diff_ids: Sequence[str], chains: Sequence[str], progress: Progress
) -> ReceivedLayers | None:
    from podpy.image.incoming.pipeline import (  # threads, decompression: not for an image that is here
        IncomingLayer,
        receive,
    )

    wanted: dict[str, IncomingLayer] = {}
    parent = ""
    for chain, diff_id, blob in zip(chains, diff_ids, parts.layers, strict=True):
        if store.has_layer(chain):
            progress.layer_exists(blob.digest or diff_id)
        else:
            wanted[chain] = IncomingLayer(
                diff_id=diff_id, chain_id=chain, parent=parent, digest=blob.digest, size=blob.size, read=blob.read
            )
        parent = chain
    return receive(store, list(wanted.values()), progress=progress) if wanted else None


def _as_it_is(store: Store, image_id: str, digest: str, parts: ImageParts, names: Sequence[str]) -> ImageRecord | None:
    """Return the store's image if it came by these manifests last and has these names: nothing need be written."""
    try:
        here = store.find_image(image_id.partition(":")[2])
    except NoSuchImageError:
        return None
    is_same = here.digest == digest and all(sha256(manifest) in here.digests for manifest in parts.parents)
    return here if is_same and set(names).issubset(here.names) else None


def _check_names(parts: ImageParts, names: Sequence[str]) -> None:
    """Raise ImageError if a name has a digest that isn't the image's: an archive may claim any name."""
    for name in names:
        _, at, digest = name.rpartition("@")
        if at and not any(has_digest(manifest, digest) for manifest in (parts.manifest, *parts.parents)):
            raise ImageError(
                f"{name}: the image has another digest than its name says",
                hint="Save it again by its tag, or by its id",
            )


def _creation(text: str) -> int:
    # Go's zero time counts as no time. Podman then takes the time at which the image came (containers/storage).
    return time_ns() if not text or text.startswith("0001-01-01T00:00:00") else max(0, nanoseconds(text))
