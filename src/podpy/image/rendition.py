"""An image as it goes out in one of the two families: OCI's manifests and media types, or Docker's (schema 2).

If the family is the image's own and every layer is still there as its manifest names it, the manifest goes out byte for
byte. Else a manifest is made: kept blobs keep their digests even then. The configuration is never touched, in whichever
direction, so the image's id stays what it is (containers/image writes another one, and with it another id, when it
makes an OCI image of a Docker one).
"""

from __future__ import annotations

from podpy import fastjson
from podpy.image import schema
from podpy.image.assemble import sha256
from podpy.image.layer_source import LayerBlob, PlainLayer, compress, layer_type, outgoing_layers
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.image.layer_source import OutgoingLayer
    from podpy.storage.images import ImageRecord
    from podpy.storage.store import Store

OCI = "oci"
DOCKER = "docker"
_MANIFESTS = {OCI: schema.OCI_MANIFEST, DOCKER: schema.DOCKER_MANIFEST}
_CONFIGS = {OCI: schema.OCI_CONFIG, DOCKER: schema.DOCKER_CONFIG}


class Compression(Record):
    """How layers go out: `kind` for those that no compressed blob is kept of ("gzip", "zstd", empty: uncompressed).

    With `force`, kept blobs of another kind are compressed again, too.
    """

    kind: str = "gzip"
    level: int | None = None
    force: bool = False


class Rendition(Record):
    """What is written: `layers` lowest first, each with `digest`, `size`, `media_type` and `chunks()`."""

    manifest: bytes
    media_type: str
    config: bytes
    layers: list[LayerBlob | PlainLayer]

    @property
    def digest(self) -> str:
        """The manifest's digest."""
        return sha256(self.manifest)

    @property
    def config_digest(self) -> str:
        """The configuration's digest: the image's id with its algorithm."""
        return sha256(self.config)


def own_family(record: ImageRecord) -> str:
    """Return the family of the manifest that an image came with."""
    manifest = schema.parse(record.manifest)
    return DOCKER if manifest.media_type == schema.DOCKER_MANIFEST else OCI


def render(store: Store, record: ImageRecord, family: str, compression: Compression) -> Rendition:
    """Return an image as it goes out. Layers that must be compressed are, into the staging area, before this returns.

    Raises ImageError (there is nothing to make a layer of), DigestMismatchError, StorageError, OSError.
    """
    layers = outgoing_layers(store, record)
    manifest = schema.parse(record.manifest)
    same = own_family(record) == family
    named = manifest.layers if isinstance(manifest, schema.Manifest) else []
    made: dict[str, LayerBlob | PlainLayer] = {}
    for layer in layers:
        if layer.diff_id not in made:
            made[layer.diff_id] = _outgoing(store, layer, family, same, compression)
    chosen = [made[layer.diff_id] for layer in layers]
    kept = same and [one.digest for one in named] == [one.digest for one in chosen]
    return Rendition(
        manifest=record.manifest if kept else _make_manifest(record, family, same, chosen),
        media_type=_MANIFESTS[family],
        config=record.config,
        layers=chosen,
    )


def _outgoing(
    store: Store, layer: OutgoingLayer, family: str, same: bool, compression: Compression
) -> LayerBlob | PlainLayer:
    docker = family == DOCKER
    blob, original = layer.blob, same and layer.original
    if blob is not None and _acceptable(blob, original, docker, compression):
        return blob if original else blob.replace(media_type=layer_type(blob.kind, docker=docker))
    if not compression.kind:
        return PlainLayer(layer, docker=docker)
    kind = "gzip" if docker else compression.kind
    return compress(store, layer, kind, compression.level).replace(media_type=layer_type(kind, docker=docker))


def _acceptable(blob: LayerBlob, original: bool, docker: bool, compression: Compression) -> bool:
    if blob.kind == "zstd" and docker:
        return False  # Docker's schema 2 has no media type for it (containers/image refuses it, too)
    if compression.force:
        return blob.kind == compression.kind
    # A plain tar goes out as one if it came so: then its digest is what the manifest says.
    return original or blob.kind != "" or not compression.kind


def _make_manifest(record: ImageRecord, family: str, same: bool, layers: list[LayerBlob | PlainLayer]) -> bytes:
    descriptors = [{"mediaType": one.media_type, "digest": one.digest, "size": one.size} for one in layers]
    document: dict[str, Any] = {}
    if same:  # whatever else it says (annotations, a subject) stays true
        document = fastjson.loads(record.manifest)
    if "config" not in document:
        document["config"] = {"digest": sha256(record.config), "size": len(record.config)}
    document["config"] = {**document["config"], "mediaType": _CONFIGS[family]}
    return fastjson.dumps(
        {"schemaVersion": 2, "mediaType": _MANIFESTS[family], **document, "layers": descriptors}
    ).encode()
