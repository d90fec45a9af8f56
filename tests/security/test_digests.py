"""Whatever a digest names is compared with it, wherever it comes from: a document that isn't the one is refused."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.image.conftest import odd, place
from tests.image.odd_registry import OddRegistry
from tests.image.test_podman_store import copy, theirs
from tests.image.test_pull import configure, insecure
from tests.support.engine import Podpy
from tests.support.images import Image, Layer, sha256, write_tar

__all__ = ("odd", "place", "theirs")
NAME = "localhost/changed:1"
IMAGE = Image([Layer().add("file", b"x" * 2000).tar()], {"Cmd": ["/x"]})
PARTS = ("manifest", "config", "layer")


def changed(part: str, data: bytes) -> bytes:
    """Return a document of the same kind and size that says something else, or the same layer with other bytes."""
    if part == "manifest":
        return data.replace(b"tar+gzip", b"tar+zstd").replace(b"rootfs.diff.tar", b"rootfs.diff.tat")
    if part == "config":
        return data.replace(b"2026-", b"2025-")
    return data[:4] + b"\1" + data[5:]  # gzip's time


def with_change(part: str) -> dict[str, bytes]:
    """Return the image's blobs by digest, one of them changed."""
    manifest, blobs = IMAGE.blobs()
    which = {"manifest": sha256(manifest), "config": sha256(IMAGE.config())}
    which["layer"] = next(digest for digest in blobs if digest not in which.values())
    found = {**blobs, which[part]: changed(part, blobs[which[part]])}
    assert found[which[part]] != blobs[which[part]]
    return found


def registry(podpy: Podpy, odd: OddRegistry, place: Path, part: str) -> str:
    digest = odd.add("x", "1", IMAGE)
    blobs = with_change(part)
    odd.blobs.update(blobs)
    for name, (_, kind) in [*odd.manifests.items()]:
        odd.manifests[name] = (blobs[digest], kind)
    configure(podpy, insecure(odd.address))
    return f"{odd.address}/x@{digest}"


def oci(podpy: Podpy, odd: OddRegistry, place: Path, part: str) -> str:
    for name, data in _layout(part).items():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(data)
    return f"oci:{place}"


def oci_archive(podpy: Podpy, odd: OddRegistry, place: Path, part: str) -> str:
    write_tar(place / "a.tar", _layout(part))
    (place / "a.tar").chmod(0o644)
    return f"oci-archive:{place}/a.tar"


def directory(podpy: Podpy, odd: OddRegistry, place: Path, part: str) -> str:
    manifest = IMAGE.blobs()[0]
    for digest, data in with_change(part).items():
        (place / digest[7:]).write_bytes(data)
    (place / "manifest.json").write_bytes(manifest)
    return f"dir:{place}"


def docker_archive(podpy: Podpy, odd: OddRegistry, place: Path, part: str) -> str:
    path = IMAGE.write_docker_archive(place / "a.tar", NAME)
    path.write_bytes(path.read_bytes().replace(b"x" * 2000, b"y" * 2000))
    path.chmod(0o644)
    return f"docker-archive:{path}"


def containers_storage(podpy: Podpy, odd: OddRegistry, place: Path, part: str) -> str:
    archive = IMAGE.write_docker_archive(place / "a.tar", NAME)
    archive.chmod(0o644)
    copy(podpy, archive, NAME)
    (images,) = (podpy.home / "theirs/overlay-images").glob("*/")
    if part == "layer":
        (path,) = podpy.home.glob("theirs/overlay/*/diff/file")
        path.write_bytes(b"y" * 2000)
    else:
        path = next(images.glob("=*")) if part == "config" else images / "manifest"
        before = path.read_bytes()
        path.write_bytes(changed(part, before))
        assert path.read_bytes() != before
    return f"containers-storage:{NAME}"


def _layout(part: str) -> dict[str, bytes]:
    files = IMAGE.oci_layout(NAME)
    return files | {f"blobs/sha256/{digest[7:]}": data for digest, data in with_change(part).items()}


# What a docker-archive's configuration and a directory's manifest are called by isn't their digest.
MATRIX = [
    (make, part)
    for make in (registry, oci, oci_archive, directory, docker_archive, containers_storage)
    for part in PARTS
    if (make, part) not in ((docker_archive, "manifest"), (docker_archive, "config"), (directory, "manifest"))
]


@pytest.mark.parametrize(("make", "part"), MATRIX, ids=[f"{make.__name__}-{part}" for make, part in MATRIX])
def test_a_document_that_isnt_the_one_is_refused(
    podpy: Podpy,
    theirs: Path,
    odd: OddRegistry,
    place: Path,
    make: Callable[[Podpy, OddRegistry, Path, str], str],
    part: str,
) -> None:
    where = place / os.urandom(4).hex()
    where.mkdir()
    where.chmod(0o755)
    done = podpy("pull", "-q", make(podpy, odd, where, part)).fails(125)
    assert "sha256:" in done.stderr
    assert "digest" in done.stderr
    assert podpy.ok("images", "-aq") == ""
