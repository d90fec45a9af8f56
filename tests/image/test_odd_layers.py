"""Old and odd images: schema 1, mixed media types, foreign, empty, duplicate, many layers, devices, large ids."""

from __future__ import annotations

import gzip
import json
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from podpy.errors import NotThereError
from podpy.image.documents.schema import DOCKER_LAYER, Descriptor
from podpy.image.registry.foreign import layer_bytes
from podpy.image.registry.read import Repository
from tests.image.odd_registry import OddRegistry
from tests.image.test_pull import configure, insecure
from tests.support.engine import Podpy
from tests.support.images import BUSYBOX, CONFIG_TYPE, LAYER_TYPE, MANIFEST_TYPE, Image, Layer, sha256

DOCKER = "application/vnd.docker"
DOCKER_MANIFEST = f"{DOCKER}.distribution.manifest.v2+json"
FOREIGN = [
    f"{DOCKER}.image.rootfs.foreign.diff.tar.gzip",
    "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
]
SCHEMA_1 = f"{DOCKER}.distribution.manifest.v1+prettyjws"


@pytest.fixture
def name(podpy: Podpy, odd: OddRegistry) -> str:
    """The image x of a registry of ours that may be pulled from."""
    configure(podpy, insecure(odd.address))
    return f"{odd.address}/x"


def hold(odd: OddRegistry, image: Image, **changes: Any) -> None:
    """Hold an image as x with other fields in its manifest; `layers` are fields for each layer."""
    odd.add("x", "latest", image)
    manifest = json.loads(image.blobs()[0])
    for layer, more in zip(manifest["layers"], changes.pop("layers", []), strict=False):
        layer.update(more)
    manifest["config"].update(changes.pop("config", {}))
    manifest.update(changes)
    odd.add_manifest("x", "latest", manifest, manifest["mediaType"])


def test_schema_1_is_refused_with_what_to_do(podpy: Podpy, odd: OddRegistry, name: str) -> None:
    odd.add_manifest("x", "latest", {"schemaVersion": 1, "fsLayers": [], "history": []}, SCHEMA_1)
    podpy("pull", name).fails(125, "of schema 1, which Docker gave up in 2017", "skopeo copy docker://OLD docker://NEW")


@pytest.mark.parametrize("outer", [MANIFEST_TYPE, DOCKER_MANIFEST])
def test_media_types_of_both_families_in_one_manifest(
    podpy: Podpy, odd: OddRegistry, small: Image, name: str, outer: str
) -> None:
    kinds = [{"mediaType": f"{DOCKER}.image.rootfs.diff.tar.gzip"}, {"mediaType": LAYER_TYPE}]
    config = {"mediaType": f"{DOCKER}.container.image.v1+json" if outer == MANIFEST_TYPE else CONFIG_TYPE}
    hold(odd, small, mediaType=outer, layers=kinds, config=config)
    podpy.ok("pull", "-q", name)
    found = podpy.json("image", "inspect", name)[0]
    assert found["RootFS"]["Layers"] == [sha256(layer) for layer in small.layers]
    assert found["ManifestType"] == outer


@pytest.mark.parametrize("kind", FOREIGN)
def test_foreign_layers_come_from_where_the_manifest_says(
    podpy: Podpy, odd: OddRegistry, other: OddRegistry, bulky: Image, name: str, kind: str
) -> None:
    digest = json.loads(bulky.blobs()[0])["layers"][0]["digest"]
    urls = [
        "ftp://127.0.0.1/x",
        "http://127.0.0.1:1/x",
        f"http://{other.address}/none",
        f"http://{other.address}/{digest}",
    ]
    hold(odd, bulky, layers=[{"mediaType": kind, "urls": urls}])
    data = odd.blobs.pop(digest)
    podpy("pull", name).fails(125, f"foreign layer {digest} is nowhere", "answered 404", "127.0.0.1:1")
    other.blobs[digest] = data
    other.cuts = [400_000]
    podpy("pull", "-q", "--creds", "alice:secret", name).fails(125, "Pull again: it goes on from there")
    podpy.ok("pull", "-q", "--creds", "alice:secret", name)
    assert "Range" in other.requests[-1][2]
    assert not any("Authorization" in headers for _, _, headers in other.requests)
    other.blobs[digest] = b"something else" * 100
    podpy.ok("rmi", "-a")
    podpy("pull", name).fails(125, "stopped")


def test_a_foreign_layer_that_the_registry_has(podpy: Podpy, odd: OddRegistry, small: Image, name: str) -> None:
    hold(odd, small, layers=[{"urls": ["http://127.0.0.1:1/x"]}])
    podpy.ok("pull", "-q", name)


def test_empty_and_duplicate_layers(podpy: Podpy, odd: OddRegistry, name: str, busybox_image: Image) -> None:
    change = Layer().add("etc/motd", b"hello").tar()
    undo = Layer().add("etc/.wh.motd", b"").tar()
    empty = bytes(1024)
    layers = [*busybox_image.layers, empty, change, undo, empty, change, b"", empty]
    odd.add("x", "latest", Image(layers, {"Cmd": ["cat", "/etc/motd"]}))
    assert podpy.ok("run", "-q", "--rm", name) == "hello"
    assert podpy.json("image", "inspect", name)[0]["RootFS"]["Layers"] == [sha256(layer) for layer in layers]


def test_blobs_that_are_empty_gzip_or_not_compressed(podpy: Podpy, odd: OddRegistry, small: Image, name: str) -> None:
    layers = [small.layers[0], b"", small.layers[1]]
    image = Image(layers)
    odd.add("x", "latest", image)
    plain = json.loads(image.blobs(compressed=False)[0])["layers"]
    for descriptor, layer in zip(plain, layers, strict=True):
        odd.blobs[descriptor["digest"]] = layer
    compressed = json.loads(image.blobs()[0])["layers"]
    assert gzip.decompress(odd.blobs[compressed[1]["digest"]]) == b""
    hold(odd, image)
    podpy.ok("pull", "-q", name)
    podpy.ok("rmi", "-a")
    hold(odd, image, layers=plain)
    podpy.ok("pull", "-q", name)


@pytest.mark.parametrize("count", [127, 500])
def test_many_layers(podpy: Podpy, busybox_image: Image, session_base: Path, count: int) -> None:
    layers = [Layer().add(f"many{number % 3}", b"%d" % number).tar() for number in range(count - 1)]
    path = session_base / f"many-{os.urandom(4).hex()}.tar"
    Image([*busybox_image.layers, *layers], busybox_image.settings).write_docker_archive(path, "many")
    podpy.ok("load", "-q", "-i", str(path))
    said = podpy.ok("run", "--rm", "localhost/many:latest", "sh", "-c", "cat /many0; echo; cat /many1")
    assert said.split() == [str(max(range(rest, count - 1, 3))) for rest in (0, 1)]


def test_more_layers_than_overlay_stacks(podpy: Podpy, session_base: Path) -> None:
    layers = [Layer().add("f", b"%d" % number).tar() for number in range(501)]
    path = session_base / f"many-{os.urandom(4).hex()}.tar"
    Image(layers).write_docker_archive(path, "many")
    podpy("load", "-i", str(path)).fails(125, "501 layers, more than 500")


def test_devices_are_left_out_and_told_who_asks(podpy: Podpy, busybox_image: Image, session_base: Path) -> None:
    layer = Layer()
    for number in range(3):
        layer.add(f"dev/x{number}", type=tarfile.CHRTYPE, devmajor=1, devminor=number)
    another = Layer().add("dev/disk", type=tarfile.BLKTYPE, devmajor=8)
    path = session_base / f"devices-{os.urandom(4).hex()}.tar"
    Image([*busybox_image.layers, layer.tar(), another.tar()]).write_docker_archive(path, BUSYBOX)
    done = podpy("--log-level=info", "load", "-q", "-i", str(path))
    done.ok()
    told = [line for line in done.stderr.splitlines() if "device nodes" in line]
    assert len(told) == 1
    assert 'level=info msg="4 device nodes of the image were left out: only real root can make them"' in told[0]
    podpy.ok("rmi", BUSYBOX)
    done = podpy("load", "-q", "-i", str(path))
    done.ok()
    assert done.stderr == ""


def test_ids_above_the_users_range(podpy: Podpy, session_base: Path) -> None:
    layer = Layer().add("a", b"1", uid=70_000).add("b", b"2", gid=300_000).add("c", b"3", uid=1)
    path = session_base / f"ids-{os.urandom(4).hex()}.tar"
    Image([layer.tar()]).write_docker_archive(path, "ids")
    done = podpy("load", "-i", str(path))
    done.fails(125, "uid 70000 and gid 300000", "300000 subordinate ids", "--add-subuids", "podpy system migrate")
    assert len(done.complaints) == 1


def test_a_foreign_layer_goes_on_elsewhere_where_its_registry_stopped(other: OddRegistry) -> None:
    data = os.urandom(5000)
    other.blobs[sha256(data)] = data
    url = f"http://{other.address}/v2/x/blobs/{sha256(data)}"
    layer = Descriptor(media_type=DOCKER_LAYER, digest=sha256(data), size=len(data), urls=[url])

    class Stopping(Repository):
        """It sends a beginning, and then doesn't have the blob any more."""

        def __init__(self) -> None:
            """Nothing of a repository is needed but its blobs."""

        def blob(self, digest: str, size: int, offset: int) -> Iterator[bytes]:
            yield data[offset : offset + 1000]
            raise NotThereError("gone")

    assert b"".join(layer_bytes(Stopping(), layer, 500)) == data[500:]
