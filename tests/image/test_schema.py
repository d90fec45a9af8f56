"""Manifests, indexes and configurations: what is taken, which platform is chosen, what hostile input gets."""

from __future__ import annotations

import json
from typing import Any

import pytest

from podpy.errors import ImageError
from podpy.image.documents import schema
from podpy.image.documents.config import ImageConfig
from podpy.image.documents.schema import Index, Manifest, Platform

DIGEST = "sha256:" + "a" * 64


def manifest(**changes: Any) -> dict[str, Any]:
    config = {"mediaType": schema.OCI_CONFIG, "digest": DIGEST, "size": 10}
    layer = {"mediaType": schema.OCI_LAYER, "digest": DIGEST, "size": 20}
    return {"schemaVersion": 2, "mediaType": schema.OCI_MANIFEST, "config": config, "layers": [layer], **changes}


def index(*platforms: str) -> Index:
    entries = []
    for number, text in enumerate(platforms):
        system, architecture, variant = [*text.split("/"), ""][:3]
        platform = {"os": system, "architecture": architecture, "variant": variant}
        digest = f"sha256:{number:064x}"
        entries.append({"mediaType": schema.OCI_MANIFEST, "digest": digest, "size": 1, "platform": platform})
    document = {"schemaVersion": 2, "mediaType": schema.OCI_INDEX, "manifests": entries}
    parsed = schema.parse(json.dumps(document).encode())
    assert isinstance(parsed, Index)
    return parsed


@pytest.mark.parametrize("kind", [schema.OCI_MANIFEST, schema.DOCKER_MANIFEST])
def test_both_kinds_of_manifest(kind: str) -> None:
    parsed = schema.parse(json.dumps(manifest(mediaType=kind)).encode())
    assert isinstance(parsed, Manifest)
    assert parsed.media_type == kind
    assert parsed.layers[0].size == 20


def test_a_manifest_without_media_type_takes_the_registrys_word() -> None:
    document = manifest()
    del document["mediaType"]
    assert schema.parse(json.dumps(document).encode(), schema.DOCKER_MANIFEST + "; charset=utf-8").media_type == (
        schema.DOCKER_MANIFEST
    )


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Platform(architecture="amd64"), "linux/amd64"),
        (Platform(architecture="arm", variant="v7"), "linux/arm/v6"),
        (Platform(architecture="arm", variant="v6"), "linux/arm/v6"),
        (Platform(architecture="arm", variant="v8"), "linux/arm/v8"),
        (Platform(architecture="arm64", variant="v8"), "linux/arm64/v8"),
        (Platform(architecture="arm64"), "linux/arm64/v8"),
    ],
)
def test_the_best_variant_that_runs_is_chosen(wanted: Platform, expected: str) -> None:
    found = schema.select(
        index("windows/amd64", "linux/arm/v5", "linux/arm/v8", "linux/arm/v6", "linux/amd64", "linux/arm64/v8"), wanted
    )
    assert str(found.platform) == expected


def test_a_platform_that_is_not_there_is_an_error_that_lists_what_is() -> None:
    with pytest.raises(ImageError, match="linux/s390x: it has linux/amd64, linux/arm/v5"):
        schema.select(index("linux/amd64", "linux/arm/v5", "unknown/unknown"), Platform(architecture="s390x"))


def test_platform_options() -> None:
    assert str(schema.parse_platform("linux/arm/v7")) == "linux/arm/v7"
    assert str(schema.parse_platform("", architecture="aarch64")).startswith("linux/arm64")
    with pytest.raises(ImageError, match="invalid platform"):
        schema.parse_platform("a/b/c/d")


HOSTILE: list[tuple[bytes, str]] = [
    (b"", "not JSON"),
    (b"\xff\xfe", "not JSON"),
    (b"[]", "not a JSON object"),
    (b"[" * 200_000, "nested too deeply"),
    (b'{"schemaVersion": 1}', "schema 1"),
    (b"{}", "unknown type"),
    (json.dumps(manifest(config=None)).encode(), "config is missing"),
    (json.dumps(manifest(layers={})).encode(), "not a list"),
    (json.dumps(manifest(layers=[None])).encode(), "a layer is missing"),
    (json.dumps(manifest(layers=[{"mediaType": "x", "digest": "../x", "size": 1}])).encode(), "not a digest"),
    (json.dumps(manifest(layers=[{"mediaType": "x", "digest": DIGEST, "size": -5}])).encode(), "impossible size"),
    (json.dumps(manifest(layers=[{"mediaType": "x", "digest": DIGEST, "size": "1"}])).encode(), "impossible size"),
    (json.dumps(manifest(manifests=[])).encode(), "both layers and manifests"),
    (json.dumps(manifest(layers=[manifest()["layers"][0]] * 501)).encode(), "501 layers"),
    (
        json.dumps(manifest(config={"mediaType": "application/x", "digest": DIGEST, "size": 1})).encode(),
        "artifact of type",
    ),
    (b" " * ((4 << 20) + 1), "more than the"),
]


@pytest.mark.parametrize(("data", "why"), HOSTILE, ids=[why for _, why in HOSTILE])
def test_a_hostile_manifest_is_one_line(data: bytes, why: str) -> None:
    with pytest.raises(ImageError) as caught:
        schema.parse(data)
    assert why in str(caught.value)
    assert len(str(caught.value)) < 400


def config(**changes: Any) -> bytes:
    return json.dumps({"rootfs": {"diff_ids": []}, "config": changes}).encode()


def test_a_configuration() -> None:
    parsed = ImageConfig.parse(
        config(
            Entrypoint=["/e"], Cmd=["c"], Env=["A=1", "broken"], User="u", WorkingDir="/w", Volumes={"/v": {}},
            ExposedPorts={"80/tcp": {}}, Labels={"a": "b"}, StopSignal="SIGINT",
            Healthcheck={"Test": ["CMD", "x"], "Interval": 5_000_000_000, "Retries": 3},
        )
    )  # fmt: skip
    assert parsed.entrypoint == ["/e"]
    assert parsed.env == ["A=1"]
    assert parsed.volumes == ["/v"]
    assert parsed.exposed_ports == ["80/tcp"]
    assert parsed.healthcheck is not None
    assert parsed.healthcheck.interval == 5_000_000_000


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (config(Env="x" * 70_000), "Env"),
        (config(Env={"A": 1}), "Env"),
        (config(Cmd=[1]), "Cmd"),
        (config(Cmd=["a\0b"]), "zero bytes"),
        (config(Labels=["x"]), "Labels"),
        (config(Labels={"a": 1}), "Labels"),
        (config(User=7), "User"),
        (config(Volumes=["x"]), "Volumes"),
        (config(Env=["A=1"] * 10_001), "Env"),
        (config(Healthcheck={"Interval": -1}), "Interval"),
        (config(Healthcheck={"Interval": True}), "Interval"),
        (b'{"rootfs": {"diff_ids": ["../../etc"]}}', "not a digest"),
        (b'{"rootfs": []}', "rootfs"),
        (b'{"config": 5}', "config"),
        (b'{"history": {}}', "history"),
        (b'{"a":' * 100_000, "nested too deeply"),
        (b"x" * ((8 << 20) + 1), "more than the"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_hostile_configuration_is_one_line(data: bytes, why: str) -> None:
    with pytest.raises(ImageError) as caught:
        ImageConfig.parse(data)
    assert why in str(caught.value)
    assert len(str(caught.value)) < 400
