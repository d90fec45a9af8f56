"""An image's manifest for where the image goes: as it came if its layers are the same, else a new one.

The two formats, OCI image-spec v1 and Docker's version 2, schema 2, differ in media types; the configuration is the
same in both, so a conversion changes the manifest only.
"""

from __future__ import annotations

from podpy import fastjson
from podpy.image.documents import schema
from podpy.image.outgoing.layer_source import layer_type
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from podpy.image.outgoing.layer_source import LayerBytes
    from podpy.storage.images import ImageRecord

_FOREIGN = ("nondistributable", "foreign")


class Converted(Record):
    """A manifest that is ready to go."""

    data: bytes
    media_type: str


class LayerName(Record):
    """A layer as a manifest names it, wherever its bytes are; `kind` as in LayerBlob."""

    digest: str
    size: int
    kind: str = ""


def manifest_for(record: ImageRecord, blobs: Sequence[LayerBytes | LayerName], media_type: str = "") -> Converted:
    """Return the manifest of an image whose layers, lowest first, are these blobs.

    `media_type` empty: the kind that the image's own manifest is of. If the image's own manifest fits, its bytes come
    back.
    """
    own = schema.parse(record.manifest) if record.manifest else None
    own = own if isinstance(own, schema.Manifest) else None
    media_type = media_type or (own.media_type if own else schema.OCI_MANIFEST)
    if own and own.media_type == media_type and [x.digest for x in own.layers] == [x.digest for x in blobs]:
        return Converted(data=record.manifest, media_type=media_type)
    docker = media_type == schema.DOCKER_MANIFEST
    document = schema.load_object(record.manifest, "the manifest", schema.MANIFEST_LIMIT) if own else {}
    config = {
        "mediaType": schema.DOCKER_CONFIG if docker else schema.OCI_CONFIG,
        "digest": f"sha256:{record.id}",
        "size": len(record.config),
    }
    described = {layer.get("digest"): layer for layer in document.get("layers", ())}
    layers = [_layer(blob, described.get(blob.digest), docker=docker) for blob in blobs]
    made = {"schemaVersion": 2, "mediaType": media_type, "config": config, "layers": layers}
    if not docker and own and own.annotations:
        made["annotations"] = document["annotations"]
    return Converted(data=fastjson.dumps(made).encode(), media_type=media_type)


def foreign_layers(record: ImageRecord) -> set[str]:
    """Return the digests of layers that are fetched from elsewhere (`urls`), not handed on."""
    if not record.manifest:
        return set()
    layers = schema.load_object(record.manifest, "the manifest", schema.MANIFEST_LIMIT).get("layers", ())
    return {layer["digest"] for layer in layers if layer.get("urls") and _is_foreign(layer)}


def _layer(blob: LayerBytes | LayerName, described: dict[str, Any] | None, *, docker: bool) -> dict[str, Any]:
    """Return a layer's descriptor; the old one's other fields stay if the new format has them."""
    layer: dict[str, Any] = {"mediaType": layer_type(blob.kind, docker=docker), "digest": blob.digest}
    layer["size"] = blob.size
    if described is None:
        return layer
    if described.get("urls"):
        layer["urls"] = described["urls"]
        if _is_foreign(described):
            old, new = ("rootfs.diff", "rootfs.foreign.diff") if docker else (".layer.v1", ".layer.nondistributable.v1")
            layer["mediaType"] = layer["mediaType"].replace(old, new)
    if not docker and isinstance(described.get("annotations"), dict):
        layer["annotations"] = described["annotations"]
    return layer


def _is_foreign(layer: dict[str, Any]) -> bool:
    return any(word in str(layer.get("mediaType")) for word in _FOREIGN)
