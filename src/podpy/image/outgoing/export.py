"""An image for export in one of the two manifest formats: OCI's manifests and media types, or Docker's (schema 2).

If the format is the image's own and every layer is still there as its manifest names it, the manifest goes out byte for
byte. Else a manifest is made: kept blobs keep their digests even then. The configuration is never touched, in whichever
direction, so the image's id stays what it is (containers/image writes another one, and with it another id, when it
makes an OCI image of a Docker one).
"""

from __future__ import annotations

from podpy.digests import sha256
from podpy.image.documents import schema
from podpy.image.outgoing.convert import manifest_for
from podpy.image.outgoing.layer_source import LayerBlob, PlainLayer, compress, outgoing_layers
from podpy.record import Record
from podpy.storage.layers import compressed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from podpy.image.outgoing.layer_source import LayerBytes, OutgoingLayer
    from podpy.storage.images import ImageRecord
    from podpy.storage.store import Store

OCI = "oci"
DOCKER = "docker"
MANIFESTS = {OCI: schema.OCI_MANIFEST, DOCKER: schema.DOCKER_MANIFEST}


class Compression(Record):
    """How layers go out: `kind` for those that no compressed blob is kept of ("gzip", "zstd", empty: uncompressed).

    With `force`, kept blobs of another kind are compressed again, too.
    """

    kind: str = "gzip"
    level: int | None = None
    force: bool = False


class Export(Record):
    """What is written: `layers` lowest first, each with `digest`, `size`, `kind` and `chunks()`."""

    manifest: bytes
    media_type: str
    config: bytes
    layers: list[LayerBytes]

    @property
    def digest(self) -> str:
        """The manifest's digest."""
        return sha256(self.manifest)

    @property
    def config_digest(self) -> str:
        """The configuration's digest: the image's id with its algorithm."""
        return sha256(self.config)


def own_format(record: ImageRecord) -> str:
    """Return the format of the manifest that an image came with; OCI for a build's step, which has none."""
    if not record.manifest:
        return OCI
    manifest = schema.parse(record.manifest)
    return DOCKER if manifest.media_type == schema.DOCKER_MANIFEST else OCI


def render(store: Store, record: ImageRecord, manifest_format: str, compression: Compression) -> Export:
    """Return an image as it goes out. Layers that must be compressed are compressed into the staging area first.

    Raises ImageError (there is nothing to make a layer of), DigestMismatchError, StorageError.
    """
    layers = list(outgoing(store, record, manifest_format, compression))
    manifest = manifest_for(record, layers, MANIFESTS[manifest_format])
    return Export(manifest=manifest.data, media_type=manifest.media_type, config=record.config, layers=layers)


def outgoing(
    store: Store,
    record: ImageRecord,
    manifest_format: str,
    compression: Compression,
    *,
    is_there: Callable[[str], bool] | None = None,
) -> Iterator[LayerBytes]:
    """Yield an image's layers as they go out, lowest first, each compressed only when it is asked for. See `render`.

    `is_there` tells whether the destination has a blob with some digest: then that isn't made once more, and what is
    yielded has no `path`.
    """
    same = own_format(record) == manifest_format
    made: dict[str, LayerBytes] = {}
    for layer in outgoing_layers(store, record):
        if layer.diff_id not in made:  # an image may have a layer twice
            made[layer.diff_id] = _outgoing(store, layer, manifest_format, same, compression, is_there)
        yield made[layer.diff_id]


def _outgoing(
    store: Store,
    layer: OutgoingLayer,
    manifest_format: str,
    same: bool,
    compression: Compression,
    is_there: Callable[[str], bool] | None,
) -> LayerBytes:
    docker = manifest_format == DOCKER
    if layer.blob is not None and _acceptable(layer.blob, same and layer.original, docker, compression):
        return layer.blob
    if not compression.kind:
        return PlainLayer(layer)
    kind, level = "gzip" if docker else compression.kind, compression.level
    form = kind if level is None else f"{kind}:{level}"
    known = compressed.find(store.database, layer.diff_id, form) if is_there else None
    if known and is_there and is_there(known[0]):
        return LayerBlob(path="", digest=known[0], size=known[1], kind=kind)
    blob = compress(store, layer, kind, level)
    compressed.remember(store.database, layer.diff_id, form, blob.digest, blob.size)
    return blob


def _acceptable(blob: LayerBlob, original: bool, docker: bool, compression: Compression) -> bool:
    if blob.kind == "zstd" and docker:
        return False  # Docker's schema 2 has no media type for it (containers/image refuses it, too)
    if compression.force:
        return blob.kind == compression.kind
    # A plain tar goes out as one if it came so: then its digest is what the manifest says.
    return original or blob.kind != "" or not compression.kind
