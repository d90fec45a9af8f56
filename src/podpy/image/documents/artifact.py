"""An artifact's manifest (OCI image-spec 1.1, manifest.md, "Guidelines for Artifact Usage"), fields in Go's order."""

from __future__ import annotations

from podpy import fastjson
from podpy.image.documents import schema
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.image.documents.index import Entry

TITLE = "org.opencontainers.image.title"
CREATED = "org.opencontainers.image.created"
EMPTY_TYPE = "application/vnd.oci.empty.v1+json"
EMPTY = b"{}"


class Part(Record):
    """One blob as a manifest describes it. `data` are the bytes themselves, for small ones."""

    media_type: str
    digest: str
    size: int
    annotations: dict[str, str] = {}
    data: bytes = b""

    def as_json(self) -> dict[str, Any]:
        """Return the descriptor."""
        import binascii

        value: dict[str, Any] = {"mediaType": self.media_type, "digest": self.digest, "size": self.size}
        if self.annotations:
            value["annotations"] = dict(sorted(self.annotations.items()))
        if self.data:
            value["data"] = binascii.b2a_base64(self.data, newline=False).decode()
        return value


def inline(media_type: str, data: bytes) -> Part:
    """Return a part that has its bytes in its descriptor."""
    from podpy.digests import sha256

    return Part(media_type=media_type, digest=sha256(data), size=len(data), data=data)


def build(
    config: Part,
    layers: list[dict[str, Any]],
    *,
    artifact_type: str = "",
    subject: Entry | None = None,
    annotations: dict[str, str] | None = None,
) -> bytes:
    """Return the manifest; `layers` are descriptors as JSON objects."""
    value: dict[str, Any] = {"schemaVersion": 2, "mediaType": schema.OCI_MANIFEST}
    if artifact_type:
        value["artifactType"] = artifact_type
    value["config"] = config.as_json()
    value["layers"] = layers
    if subject:
        value["subject"] = {"mediaType": subject.media_type, "digest": subject.digest, "size": subject.size}
        if subject.artifact_type:
            value["subject"]["artifactType"] = subject.artifact_type
    if annotations:
        value["annotations"] = dict(sorted(annotations.items()))
    return fastjson.dumps(value).encode()
