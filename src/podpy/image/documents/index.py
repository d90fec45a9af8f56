"""Manifest lists (Docker) and image indexes (OCI) as documents that can be changed and written again.

One form holds what either format can say, as containers/common's does: `features` are Docker's only; annotations,
artifact types, data and the subject are OCI's only. What is written is OCI's if it says something that only OCI can, or
if nothing tells; Docker's if an entry has features or there is no entry.
"""

from __future__ import annotations

from podpy import fastjson
from podpy.errors import ImageError
from podpy.image.documents import schema
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Entry(Record):
    """One manifest of a list. `data` is base64."""

    media_type: str
    digest: str
    size: int
    os: str = ""
    architecture: str = ""
    variant: str = ""
    os_version: str = ""
    os_features: list[str] = []
    features: list[str] = []
    annotations: dict[str, str] = {}
    artifact_type: str = ""
    urls: list[str] = []
    data: str = ""


class Document(Record):
    """A list. `subject` is what it is attached to."""

    entries: list[Entry] = []
    annotations: dict[str, str] = {}
    artifact_type: str = ""
    subject: Entry | None = None

    def entry(self, digest: str) -> Entry | None:
        """Return the entry with this digest, or None."""
        return next((entry for entry in self.entries if entry.digest == digest), None)

    def with_entry(self, entry: Entry) -> Document:
        """Return the list with this entry last; one with the same digest is removed."""
        return self.replace(entries=[*(other for other in self.entries if other.digest != entry.digest), entry])

    def with_changed(self, entry: Entry) -> Document:
        """Return the list with this entry in the place of the one with the same digest."""
        return self.replace(entries=[entry if other.digest == entry.digest else other for other in self.entries])

    def without(self, digest: str) -> Document:
        """Return the list without the entry with this digest."""
        return self.replace(entries=[entry for entry in self.entries if entry.digest != digest])


def parse(data: bytes, content_type: str = "") -> Document:
    """Return the list in `data`. Raises ImageError if it is none."""
    document = schema.parse(data, content_type) if _has_entries(data) else None
    if document is not None and not isinstance(document, schema.Index):
        raise ImageError("it is not a manifest list but a single image")
    value = schema.load_object(data, "the manifest list", schema.MANIFEST_LIMIT)
    subject = value.get("subject")
    return Document(
        entries=[_entry(item) for item in value.get("manifests") or ()],
        annotations=_map(value.get("annotations")),
        artifact_type=_text(value.get("artifactType")),
        subject=_entry(subject) if isinstance(subject, dict) else None,
    )


def _has_entries(data: bytes) -> bool:
    # Docker's empty list says `"manifests": null`, which schema.parse rightly takes for no index.
    value = schema.load_object(data, "the manifest list", schema.MANIFEST_LIMIT)
    return value.get("mediaType") != schema.DOCKER_LIST or bool(value.get("manifests"))


def _entry(value: Any) -> Entry:
    descriptor = schema.parse_descriptor(value, "an entry of the manifest list")
    platform = value.get("platform")
    if not isinstance(platform, dict):
        platform = {}
    return Entry(
        media_type=descriptor.media_type,
        digest=descriptor.digest,
        size=descriptor.size,
        os=_text(platform.get("os")),
        architecture=_text(platform.get("architecture")),
        variant=_text(platform.get("variant")),
        os_version=_text(platform.get("os.version")),
        os_features=texts(platform.get("os.features")),
        features=texts(platform.get("features")),
        annotations=descriptor.annotations,
        artifact_type=_text(value.get("artifactType")),
        urls=texts(value.get("urls")),
        data=_text(value.get("data")),
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def texts(value: object) -> list[str]:
    """Return the texts of a list; members of other types are left out."""
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _map(value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        return {}
    return {key: item for key, item in value.items() if isinstance(item, str)}


def media_type(document: Document) -> str:
    """Return which of the two formats says everything that is in a list."""
    entries = document.entries
    if document.artifact_type or document.subject or document.annotations:
        return schema.OCI_INDEX
    if any(entry.artifact_type or entry.annotations or entry.data for entry in entries):
        return schema.OCI_INDEX
    if not entries or any(entry.features for entry in entries):
        return schema.DOCKER_LIST
    return schema.OCI_INDEX


def serialize(document: Document, kind: str = "") -> bytes:
    """Return a list's bytes in the format `kind` (a media type; empty: the one that fits), fields in Go's order."""
    kind = kind or media_type(document)
    write = _docker_entry if kind == schema.DOCKER_LIST else _oci_entry
    value: dict[str, Any] = {"schemaVersion": 2, "mediaType": kind}
    if kind == schema.OCI_INDEX and document.artifact_type:
        value["artifactType"] = document.artifact_type
    value["manifests"] = [write(entry) for entry in document.entries]
    if kind == schema.OCI_INDEX:
        if document.subject:
            value["subject"] = _oci_entry(document.subject)
        if document.annotations:
            value["annotations"] = dict(sorted(document.annotations.items()))
    return fastjson.dumps(value).encode()


def _docker_entry(entry: Entry) -> dict[str, Any]:
    return {**_descriptor(entry), "platform": _platform(entry, complete=True)}


def _oci_entry(entry: Entry) -> dict[str, Any]:
    value = _descriptor(entry)
    if entry.annotations:
        value["annotations"] = dict(sorted(entry.annotations.items()))
    if entry.data:
        value["data"] = entry.data
    platform = _platform(entry.replace(features=[]), complete=False)
    if platform:
        value["platform"] = {"architecture": entry.architecture, "os": entry.os, **platform}
    if entry.artifact_type:
        value["artifactType"] = entry.artifact_type
    return value


def _descriptor(entry: Entry) -> dict[str, Any]:
    value: dict[str, Any] = {"mediaType": entry.media_type, "digest": entry.digest, "size": entry.size}
    if entry.urls:
        value["urls"] = entry.urls
    return value


def _platform(entry: Entry, *, complete: bool) -> dict[str, Any]:
    """Return the platform object; `complete`: architecture and os even if they are empty (Docker requires them)."""
    value: dict[str, Any] = {
        "architecture": entry.architecture,
        "os": entry.os,
        "os.version": entry.os_version,
        "os.features": entry.os_features,
        "variant": entry.variant,
        "features": entry.features,
    }
    return {key: item for key, item in value.items() if item or (complete and key in ("architecture", "os"))}


def describe(document: Document, files: dict[str, list[str]] | None = None) -> dict[str, Any]:
    """Return what `manifest inspect` shows: both formats' fields. `files` are those of artifacts, by digest."""
    value: dict[str, Any] = {"schemaVersion": 2, "mediaType": media_type(document)}
    if document.artifact_type:
        value["artifactType"] = document.artifact_type
    value["manifests"] = [_described(entry, (files or {}).get(entry.digest)) for entry in document.entries] or None
    if document.subject:
        value["subject"] = _described(document.subject, None)
    if document.annotations:
        value["annotations"] = document.annotations
    return value


def _described(entry: Entry, files: list[str] | None) -> dict[str, Any]:
    value: dict[str, Any] = {"mediaType": entry.media_type, "size": entry.size, "digest": entry.digest}
    if entry.urls:
        value["urls"] = entry.urls
    value["platform"] = _platform(entry, complete=True)
    more = {"annotations": entry.annotations, "artifactType": entry.artifact_type, "data": entry.data, "files": files}
    return {**value, **{key: item for key, item in more.items() if item}}
