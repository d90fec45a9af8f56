"""`podpy save` beside skopeo, podman, umoci and buildah: each reads what podpy writes, and podpy what they make."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.image.test_save import FORMATS, NAME, TRANSPORTS, image_id, members, oci_manifest, tool
from tests.support.engine import Podpy
from tests.support.images import BUSYBOX, Image, compact, sha256


@pytest.mark.parametrize("format", FORMATS)
def test_skopeo_reads_what_podpy_saves_and_podpy_what_skopeo_makes_of_it(
    podpy: Podpy, small: Image, shelf: Path, place: Path, format: str
) -> None:
    podpy.ok("load", "-i", str(small.write_oci_archive(shelf / "a.tar", NAME)))
    podpy.ok("save", "-q", "--format", format, "-o", str(place / "x"), NAME)
    source, target = f"{TRANSPORTS[format]}:{place / 'x'}", f"{TRANSPORTS[format]}:{shelf / 'y'}"
    raw = json.loads(tool("skopeo", "inspect", "--config", "--raw", source))
    assert raw["rootfs"]["diff_ids"] == [sha256(layer) for layer in small.layers]
    named = ":localhost/small:v1" if format == "docker-archive" else ""
    tool("skopeo", "copy", "-q", "--insecure-policy", "--preserve-digests", source, target + named)
    tool("chmod", "-R", "a+rX", shelf)
    podpy.ok("rmi", "-a")
    assert podpy.ok("pull", "-q", target) == image_id(small)
    if format.startswith("oci"):
        assert podpy.json("image", "inspect", image_id(small))[0]["Digest"] == sha256(small.blobs()[0])


@pytest.mark.parametrize("format", ["docker-archive", "oci-archive"])
def test_podman_loads_what_podpy_saves(podpy: Podpy, busybox: str, place: Path, shelf: Path, format: str) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root: the suite runs as an ordinary user")
    podpy.ok("save", "-q", "--format", format, "-o", str(place / "x"), busybox)
    own = ["podman", "--root", shelf / "root", "--runroot", shelf / "run", "--storage-driver", "vfs"]
    identity = podpy.json("image", "inspect", busybox)[0]["Id"]
    try:
        tool(*own, "load", "-i", place / "x")
        assert identity in tool(*own, "images", "-q", "--no-trunc")
        assert tool(*own, "images", "--format", "{{.Repository}}:{{.Tag}}").strip() == BUSYBOX
        tool(*own, "save", "--format", format, "-o", shelf / "back", identity)
        tool("chmod", "a+r", shelf / "back")
    finally:
        subprocess.run([*own, "rmi", "-af"], check=False, capture_output=True)
    podpy.ok("rmi", "-a")
    loaded = podpy.ok("load", "-i", str(shelf / "back"))
    assert loaded == f"Loaded image: sha256:{identity}" or format == "oci-archive", "podman rewrites the configuration"


def test_umoci_unpacks_what_podpy_saves_and_podpy_pulls_what_umoci_makes(
    podpy: Podpy, small: Image, shelf: Path, place: Path
) -> None:
    podpy.ok("load", "-i", str(small.write_docker_archive(shelf / "a.tar", NAME)))
    podpy.ok("tag", NAME, "v1")
    podpy.ok("save", "-q", "--format", "oci-dir", "-o", str(place / "layout"), "localhost/v1:latest")
    layout = shelf / "layout"
    tool("cp", "-r", place / "layout", layout)
    index = json.loads((layout / "index.json").read_bytes())
    index["manifests"][0]["annotations"]["org.opencontainers.image.ref.name"] = "v1"  # umoci takes no slash in it
    (layout / "index.json").write_bytes(compact(index))
    bundle = shelf / "bundle"
    tool("umoci", "unpack", "--rootless", "--image", f"{layout}:v1", bundle)
    assert (bundle / "rootfs/etc/two").read_bytes() == b"2"
    (bundle / "rootfs/etc/three").write_bytes(b"3")
    tool("umoci", "repack", "--image", f"{layout}:v2", bundle)
    tool("chmod", "-R", "a+rX", layout)
    assert podpy.ok("pull", "-q", f"oci:{layout}:v2")
    assert len(podpy.json("image", "inspect", "docker.io/library/v2")[0]["RootFS"]["Layers"]) == 3
    podpy.ok("save", "-q", "--format", "oci-dir", "-o", str(place / "again"), "docker.io/library/v2")
    wanted = next(entry for entry in json.loads((layout / "index.json").read_bytes())["manifests"][1:])
    assert sha256(oci_manifest(members(place / "again"))[0]) == wanted["digest"], "byte for byte what umoci wrote"


@pytest.mark.parametrize("format", ["docker-archive", "oci-archive"])
def test_buildah_pulls_what_podpy_saves(podpy: Podpy, small: Image, shelf: Path, place: Path, format: str) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root: the suite runs as an ordinary user")
    podpy.ok("load", "-i", str(small.write_oci_archive(shelf / "a.tar", NAME)))
    podpy.ok("save", "-q", "--format", format, "-o", str(place / "x"), NAME)
    own = ["buildah", "--root", shelf / "root", "--runroot", shelf / "run", "--storage-driver", "vfs"]
    try:
        assert tool(*own, "pull", "-q", f"{format}:{place / 'x'}").strip() == image_id(small)
    finally:
        subprocess.run([*own, "rmi", "-af"], check=False, capture_output=True)
