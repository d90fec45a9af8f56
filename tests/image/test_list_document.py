"""What a manifest list may say (`image.lists`), what is refused, and that nothing is lost on the way through."""

from __future__ import annotations

import json
from typing import Any

import pytest

from podpy.errors import ImageError
from podpy.image.archive import sniff
from podpy.image.documents import index as lists
from podpy.image.documents import schema
from podpy.image.documents.index import Document, Entry

DIGEST = "sha256:" + "a" * 64
ENTRY: dict[str, Any] = {"mediaType": schema.OCI_MANIFEST, "digest": DIGEST, "size": 7}
FULL: dict[str, Any] = {
    "schemaVersion": 2,
    "mediaType": schema.OCI_INDEX,
    "artifactType": "a/b",
    "manifests": [
        {
            **ENTRY,
            "urls": ["https://example.com"],
            "annotations": {"a": "b"},
            "data": "e30=",
            "platform": {
                "architecture": "arm", "os": "linux", "os.version": "1", "os.features": ["x"], "variant": "v7",
            },
            "artifactType": "c/d",
        }
    ],
    "subject": ENTRY,
    "annotations": {"c": "d"},
}  # fmt: skip


def encoded(**changes: Any) -> bytes:
    return json.dumps({"schemaVersion": 2, "mediaType": schema.OCI_INDEX, "manifests": [ENTRY], **changes}).encode()


def test_all_that_oci_can_say_comes_back_byte_for_byte() -> None:
    data = json.dumps(FULL, separators=(",", ":")).encode()
    assert lists.serialize(lists.parse(data)) == data


def test_docker_says_the_platform_always_and_features() -> None:
    document = Document(entries=[Entry(media_type="x", digest=DIGEST, size=1, features=["sse4"])])
    data = lists.serialize(document)
    assert json.loads(data) == {
        "schemaVersion": 2,
        "mediaType": schema.DOCKER_LIST,
        "manifests": [
            {
                "mediaType": "x",
                "digest": DIGEST,
                "size": 1,
                "platform": {"architecture": "", "os": "", "features": ["sse4"]},
            }
        ],
    }
    assert lists.parse(data) == document


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{}",
        b"[" * 100_000,
        encoded(manifests={}),
        encoded(manifests=[3]),
        encoded(manifests=[{}]),
        encoded(manifests=[{**ENTRY, "digest": "../../x"}]),
        encoded(manifests=[{**ENTRY, "digest": 5}]),
        encoded(manifests=[{**ENTRY, "size": -5}]),
        encoded(manifests=[{**ENTRY, "size": "7"}]),
        encoded(manifests=[ENTRY] * 10_001),
        encoded(layers=[]),
        encoded(subject={"digest": "nope"}),
        encoded(mediaType=schema.OCI_MANIFEST, manifests=None, config=ENTRY, layers=[]),
        encoded(schemaVersion=1),
    ],
)
def test_what_is_no_list_is_refused_in_one_line(data: bytes) -> None:
    with pytest.raises(ImageError) as caught:
        lists.parse(data)
    assert "\n" not in str(caught.value)


def test_wrong_types_of_what_is_only_shown_count_as_absent() -> None:
    odd = {**ENTRY, "platform": [], "annotations": {"a": 1, "b": "c"}, "urls": "x", "data": 5, "artifactType": {}}
    document = lists.parse(encoded(manifests=[odd], annotations=[], subject=3, artifactType=9))
    assert document == Document(
        entries=[Entry(media_type=schema.OCI_MANIFEST, digest=DIGEST, size=7, annotations={"b": "c"})]
    )


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"", "text/plain; charset=utf-8"),
        (b"plain\n", "text/plain; charset=utf-8"),
        (b"\xef\xbb\xbfx", "text/plain; charset=utf-8"),
        (b"\x00\x01\x02", "application/octet-stream"),
        (b"  <!doctype html>", "text/html; charset=utf-8"),
        (b"<bold>", "text/plain; charset=utf-8"),
        (b"\n<?xml version", "text/xml; charset=utf-8"),
        (b"%PDF-1.7", "application/pdf"),
        (b"\x1f\x8b\x08\x00", "application/x-gzip"),
        (b"PK\x03\x04", "application/zip"),
        (b"\x89PNG\r\n\x1a\n", "image/png"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8", "image/webp"),
        (b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom", "video/mp4"),
        (b"\x00asm\x01", "application/wasm"),
    ],
)
def test_types_are_guessed_as_go_does(head: bytes, kind: str) -> None:
    assert sniff.media_type(head) == kind
