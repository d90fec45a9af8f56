"""What a container sees of an image is what umoci and Podman unpack: compared name by name (tests/support/trees.py)."""

from __future__ import annotations

import json
import os
import shutil
import struct
import tarfile
from pathlib import Path

import pytest

from tests.image.test_podman_store import theirs
from tests.support import trees
from tests.support.engine import Podpy
from tests.support.images import Image, Layer

__all__ = ["theirs"]

NAME = "localhost/compared:latest"
CAPABILITY = struct.pack("<IIIII", 0x02000001, 1 << 13, 0, 0, 0).decode("utf-8", "surrogateescape")


def attribute(name: str, value: str) -> dict[str, str]:
    return {f"SCHILY.xattr.{name}": value}


def odd_layers(*, oci: bool) -> list[bytes]:
    """Three layers with every kind of entry; `oci`: also what Podman unpacks otherwise than the OCI's layer.md says.

    That is a whiteout of a directory that its own layer fills again (Podman shows what should be hidden), and files in
    directories that the layer has no entry of (Podman gives them to root).
    """
    times = {"mtime": 1_600_000_000}
    first = Layer().add("./", mode=0o711, **times)
    for name in ("d", "d/deep", "gone-dir", "opaque", "again", "old"):
        first.add(name, mode=0o755, uid=3, gid=4, **times)
    first.add("d/suid", b"s", mode=0o6755, uid=9, gid=8, **times)
    first.add("d/ping", b"p", mode=0o755, pax_headers=attribute("security.capability", CAPABILITY), **times)
    first.add("d/noted", b"n", mode=0o600, pax_headers=attribute("user.note", "hello") | {"mtime": "12.000000345"})
    first.add("d/pipe", mode=0o622, type=tarfile.FIFOTYPE, uid=1, **times).symlink("d/link", "../d/suid")
    first.add("d/deep/twin", mode=0o6755, type=tarfile.LNKTYPE, linkname="d/suid", uid=9, gid=8, **times)
    first.add("twin", mode=0o6755, type=tarfile.LNKTYPE, linkname="d/suid", uid=9, gid=8, **times)
    first.add("caf\udce9", b"latin", **times).add("d/" + "n" * 200, b"long", **times).add("gone", b"1", **times)
    for name in ("gone-dir/x", "opaque/x", "again/x", "old/x"):
        first.add(name, b"x", **times)
    second = Layer().add("./", mode=0o711, **times).add(".wh.gone", b"").add(".wh.gone-dir", b"").add(".wh.never", b"")
    second.add("opaque", mode=0o700, uid=5, **times).add("opaque/.wh..wh..opq", b"").add("opaque/new", b"n", **times)
    second.add(".wh..wh.foo", b"").add("d", mode=0o750, **times).add("d/.wh.ping", b"").add("d/.wh..wh.foo", b"")
    second.add("replaced", b"file", **times)
    if oci:
        second.add("old/x", b"changed", mode=0o640, **times).add("old/deeper/new/y", b"y", **times)
        second.add(".wh.again", b"").add("again", mode=0o701, **times).add("again/new", b"n", **times)
    third = Layer().add("replaced", mode=0o755, **times).add("replaced/in", b"i", **times)
    third.add("caf\udce9", type=tarfile.SYMTYPE, linkname="d", **times)
    return [first.tar(), second.tar(), third.tar()]


def ours(podpy: Podpy, image: Image, layout: Path) -> str:
    """Load the image; return its layers as trees.py takes them."""
    image.write_oci_directory(layout, NAME)
    podpy.ok("load", "-q", "-i", str(layout))
    data = podpy.json("image", "inspect", NAME)[0]["GraphDriver"]["Data"]
    lowest_first = [*reversed(data.get("LowerDir", "").split(":")), data["UpperDir"]]
    return trees.OVERLAY + ":".join(path for path in lowest_first if path)


def compare(podpy: Podpy, one: str, other: str, layout: Path, session_base: Path) -> str:
    tool = session_base / "trees.py"
    if not tool.exists():
        shutil.copy(trees.__file__, tool)
        tool.chmod(0o644)
    # Not this interpreter: its files may be where an ordinary user can't read.
    command = ["unshare", "--mount", "/usr/bin/python3", str(tool), one, other, str(layout)]
    return podpy("unshare", *command).describe().partition("--- stdout\n")[2].partition("--- stderr")[0].strip()


@pytest.fixture
def layout(session_base: Path) -> Path:
    path = session_base / f"layout-{os.urandom(4).hex()}"
    path.mkdir(mode=0o755)
    return path


@pytest.mark.parametrize("kind", ["odd", "busybox"])
def test_the_tree_is_umocis(podpy: Podpy, busybox_image: Image, layout: Path, session_base: Path, kind: str) -> None:
    if shutil.which("umoci") is None:
        pytest.fail("umoci isn't installed: apt install umoci")
    image = busybox_image if kind == "busybox" else Image(odd_layers(oci=True))
    layers = ours(podpy, image, layout)
    (layout / "index.json").write_text((layout / "index.json").read_text().replace(NAME, "latest"))
    bundle = podpy.home / "bundle"
    podpy("unshare", "umoci", "unpack", "--image", f"{layout}:latest", str(bundle)).ok()
    try:
        assert compare(podpy, layers, str(bundle / "rootfs"), layout, session_base) == "no difference"
    finally:
        podpy("unshare", "rm", "-rf", str(bundle)).ok()


@pytest.mark.parametrize("kind", ["odd", "busybox"])
def test_the_tree_is_podmans(
    podpy: Podpy, theirs: Path, busybox_image: Image, layout: Path, session_base: Path, kind: str
) -> None:
    # Skopeo writes into the store with Podman's code.
    image = busybox_image if kind == "busybox" else Image(odd_layers(oci=False))
    layers = ours(podpy, image, layout)
    command = ["skopeo", "copy", "-q", "--insecure-policy", f"oci:{layout}:{NAME}", "containers-storage:x"]
    podpy.run(command).ok()
    known = {layer["id"]: layer for layer in json.loads((theirs / "overlay-layers/layers.json").read_text())}
    chain: list[str] = []
    at = json.loads((theirs / "overlay-images/images.json").read_text())[0]["layer"]
    while at:
        chain.insert(0, f"{theirs}/overlay/{at}/diff")
        at = known[at].get("parent", "")
    lines = compare(podpy, layers, trees.OVERLAY + ":".join(chain), layout, session_base).splitlines()
    # Podman 4.3 passes over what an archive says about the root directory: 0555 and the time of the unpacking.
    assert [line for line in lines if not line.startswith((".: mode", ".: mtime"))] in ([], ["no difference"])


def test_the_tool_finds_every_kind_of_difference(tmp_path: Path) -> None:
    for name in ("one", "other"):
        place = tmp_path / name
        (place / "d").mkdir(parents=True)
        for file in ("same", "content", "mode", "time", "attribute", "a", "b", "link"):
            (place / file).write_text(file)
            os.utime(place / file, (1, 1))
        os.utime(place / "d", (1, 1))
    other = tmp_path / "other"
    (other / "content").write_text("CONTENT")
    os.utime(other / "content", (1, 1))
    (other / "mode").chmod(0o600)
    os.utime(other / "time", (1, 2))
    os.setxattr(other / "attribute", "user.x", b"1")
    (other / "b").unlink()
    os.link(other / "a", other / "b")
    (other / "link").unlink()
    (other / "link").symlink_to("same")
    (other / "d").rmdir()
    lines = trees.differences(str(tmp_path / "one"), str(other), frozenset({(b"", "mtime")}))
    names = [line.partition(":")[0] for line in lines]
    assert set(names) == {"content", "mode", "time", "attribute", "a", "b", "link", "d"}
    assert any("only in" in line for line in lines if line.startswith("d:"))
