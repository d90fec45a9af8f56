"""An index that holds another index, as BuildKit and mirrors make them: podpy goes down, and not for ever."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.image.conftest import OTHER
from tests.image.odd_registry import INDEX_TYPE, OddRegistry
from tests.image.test_pull import configure, insecure
from tests.support.engine import Podpy
from tests.support.images import ARCHITECTURE, MANIFEST_TYPE, Image, Layer, compact, sha256, write_tar

FOREIGN = Image([Layer().add("foreign", b"1").tar()], architecture=OTHER)


def entry(data: bytes, kind: str, architecture: str = "") -> dict[str, object]:
    """Return the entry of an index for a document."""
    platform = {"platform": {"os": "linux", "architecture": architecture}} if architecture else {}
    return {"mediaType": kind, "digest": sha256(data), "size": len(data), **platform}


def index_of(*entries: dict[str, object]) -> bytes:
    return compact({"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": list(entries)})


class Nest:
    """An index of indexes: `documents` by digest, the outermost is `top`."""

    def __init__(self, image: Image, depth: int = 1) -> None:
        manifest, other = image.blobs()[0], FOREIGN.blobs()[0]
        inner = index_of(entry(other, MANIFEST_TYPE, OTHER), entry(manifest, MANIFEST_TYPE, ARCHITECTURE))
        empty = index_of(entry(other, MANIFEST_TYPE, "riscv64"))
        self.documents = {sha256(data): data for data in (manifest, other, inner, empty)}
        self.inner = self.top = inner
        for _ in range(depth):
            self.top = index_of(entry(empty, INDEX_TYPE), entry(self.top, INDEX_TYPE))
            self.documents[sha256(self.top)] = self.top
        self.blobs = {**image.blobs()[1], **FOREIGN.blobs()[1]}

    def layout(self) -> dict[str, bytes]:
        """Return the files of an OCI layout."""
        files = {f"blobs/sha256/{digest[7:]}": data for digest, data in {**self.blobs, **self.documents}.items()}
        files["oci-layout"] = b'{"imageLayoutVersion": "1.0.0"}'
        named = {
            **entry(self.top, INDEX_TYPE),
            "annotations": {"org.opencontainers.image.ref.name": "localhost/nest:1"},
        }
        files["index.json"] = index_of(named)
        return files

    def fill(self, odd: OddRegistry) -> str:
        """Put it into a registry as x:nest, and return its name."""
        odd.blobs.update(self.blobs)
        for digest, data in self.documents.items():
            kind = MANIFEST_TYPE if b'"layers"' in data else INDEX_TYPE
            odd.add_manifest("x", "nest" if data == self.top else digest, data, kind)
        return f"{odd.address}/x:nest"


@pytest.fixture
def nest(podpy: Podpy, odd: OddRegistry, busybox_image: Image) -> tuple[Nest, str]:
    configure(podpy, insecure(odd.address))
    made = Nest(busybox_image)
    return made, made.fill(odd)


def test_a_pull_goes_down_to_this_machines_image(
    podpy: Podpy, odd: OddRegistry, nest: tuple[Nest, str], busybox_image: Image
) -> None:
    made, name = nest
    identity = sha256(busybox_image.config())[7:]
    assert podpy.ok("pull", "-q", name) == identity
    assert podpy.ok("run", "--rm", "--pull=never", "--network=none", name, "echo", "hi") == "hi"
    repository = f"{odd.address}/x"
    for data in (made.top, made.inner, busybox_image.blobs()[0]):  # each digest that it came by means it
        assert podpy.ok("image", "inspect", "-f", "{{.Id}}", f"{repository}@{sha256(data)}") == identity
        podpy.ok("save", "-q", "--format", "oci-archive", "-o", "/dev/null", f"{repository}@{sha256(data)}")
    odd.requests.clear()
    podpy.ok("pull", "-q", name)
    assert not [path for path in odd.paths() if "/blobs/" in path]


def test_another_platform_and_none(podpy: Podpy, nest: tuple[Nest, str]) -> None:
    _, name = nest
    assert podpy.ok("pull", "-q", "--arch", OTHER, name) == sha256(FOREIGN.config())[7:]
    podpy("pull", "-q", "--arch", "mips64le", name).fails(125, "no image found in the image index for linux/mips64le")


@pytest.mark.parametrize("kind", ["oci-archive", "oci"])
def test_load_and_pull_from_places_go_down(
    podpy: Podpy, busybox_image: Image, session_base: Path, place: Path, kind: str
) -> None:
    files = Nest(busybox_image).layout()
    path = place / "nest"
    if kind == "oci":
        for name, data in files.items():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            (path / name).write_bytes(data)
    else:
        write_tar(path, files)
        path.chmod(0o644)
    assert podpy.ok("load", "-q", "-i", str(path)) == "Loaded image: localhost/nest:1"
    assert podpy.ok("run", "--rm", "--network=none", "localhost/nest:1", "echo", "hi") == "hi"
    assert podpy.ok("pull", "-q", f"{kind}:{path}") == sha256(busybox_image.config())[7:]


def test_a_list_gets_the_manifests_that_are_in_the_indexes(
    podpy: Podpy, odd: OddRegistry, nest: tuple[Nest, str], busybox_image: Image
) -> None:
    _, name = nest
    podpy.ok("manifest", "create", "one", name)
    (only,) = podpy.json("manifest", "inspect", "one")["manifests"]
    assert only["digest"] == sha256(busybox_image.blobs()[0])
    podpy.ok("manifest", "create", "--all", "every", name)
    found = {one["digest"] for one in podpy.json("manifest", "inspect", "every")["manifests"]}
    assert found == {sha256(image.blobs()[0]) for image in (busybox_image, FOREIGN)}
    podpy.ok("manifest", "push", "--all", "every", f"{odd.address}/x:flat")
    podpy.ok("pull", "-q", f"{odd.address}/x:flat")


def test_the_way_down_is_bounded(podpy: Podpy, odd: OddRegistry, busybox_image: Image) -> None:
    configure(podpy, insecure(odd.address))
    name = Nest(busybox_image, depth=4).fill(odd)
    podpy("pull", "-q", name).fails(125, "more than 4 deep")
    podpy("manifest", "create", "--all", "deep", name).fails(125, "more than 4 deep")
    name = Nest(busybox_image, depth=3).fill(odd)
    podpy.ok("manifest", "create", "--all", "deep", name)
    podpy.ok("pull", "-q", name)
    wide = [index_of({**entry(b"%d" % number, MANIFEST_TYPE, "s390x")}) for number in range(80)]
    for data in wide:
        odd.add_manifest("x", sha256(data), data, INDEX_TYPE)
    odd.add_manifest("x", "wide", index_of(*(entry(data, INDEX_TYPE) for data in wide)), INDEX_TYPE)
    podpy("pull", "-q", f"{odd.address}/x:wide").fails(125, "more than 64 documents")
    assert len(odd.paths()) < 100
