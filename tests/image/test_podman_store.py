"""`podpy pull containers-storage:NAME`: images come over from the store of Podman, Buildah and Skopeo."""

from __future__ import annotations

import base64
import json
import os
import shutil
import tarfile
from pathlib import Path

import pytest

from tests.image.odd_registry import INDEX_TYPE, OddRegistry
from tests.support.engine import Podpy
from tests.support.images import ARCHITECTURE, BUSYBOX, MANIFEST_TYPE, Image, Layer, sha256


@pytest.fixture
def theirs(podpy: Podpy) -> Path:
    """The place of a store with the overlay driver, as storage.conf says it."""
    path = podpy.home / "theirs"
    directory = podpy.home / ".config/containers"
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "storage.conf").write_text(
        f'[storage]\ndriver = "overlay"\ngraphroot = "{path}"\nrunroot = "{path}/run"\n'
    )
    podpy.run(["mkdir", path]).ok()
    return path


def copy(podpy: Podpy, archive: Path, name: str) -> None:
    """Bring an image into their store, by Skopeo as the user."""
    if shutil.which("skopeo") is None:
        pytest.fail("skopeo isn't installed: apt install skopeo")
    podpy.run(
        ["skopeo", "copy", "-q", "--insecure-policy", f"docker-archive:{archive}", f"containers-storage:{name}"]
    ).ok()


def odd_image() -> Image:
    """Two layers with what a layer may hold: owners, links, whiteouts, names that aren't UTF-8, a long name."""
    first = Layer().add("d", mode=0o750, uid=5, gid=6).add("d/file", b"x" * 70_000, mode=0o4755, uid=7)
    first.add("hard", type=tarfile.LNKTYPE, linkname="d/file").symlink("soft", "d/file").add("gone", b"1")
    second = Layer().add(".wh.gone", b"").add("d/" + "n" * 200, b"long").add("caf\udce9", b"latin")
    second.add("attributes", b"a", pax_headers={"SCHILY.xattr.user.color": "red"})
    return Image([first.tar(), second.tar()], {"Cmd": ["/x"]})


def test_an_image_comes_over_with_the_exact_layers(podpy: Podpy, theirs: Path, session_base: Path) -> None:
    image = odd_image()
    archive = image.write_docker_archive(session_base / f"odd-{os.urandom(4).hex()}.tar", "localhost/odd:1")
    archive.chmod(0o644)
    copy(podpy, archive, "localhost/odd:1")
    image_id = podpy.ok("pull", "-q", "containers-storage:localhost/odd:1")
    assert image_id == sha256(image.config())[7:]
    found = podpy.json("image", "inspect", "odd:1")[0]
    assert found["RootFS"]["Layers"] == [sha256(layer) for layer in image.layers]
    assert found["RepoTags"] == ["localhost/odd:1"]
    manifest = next(theirs.glob("overlay-images/*/manifest")).read_bytes()
    assert found["Digest"] == sha256(manifest)


def test_every_digest_that_an_image_came_by_there_means_it_here(
    podpy: Podpy, theirs: Path, odd: OddRegistry, small: Image
) -> None:
    digest = odd.add("x", "1", small)
    entry = {"mediaType": MANIFEST_TYPE, "digest": digest, "size": len(small.blobs()[0])}
    platform = {"architecture": ARCHITECTURE, "os": "linux"}
    index = {"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": [{**entry, "platform": platform}]}
    both = odd.add_manifest("x", "all", index, INDEX_TYPE)
    name = f"{odd.address}/x"
    for tag in ("1", "all"):
        source = [f"docker://{name}:{tag}", f"containers-storage:{name}:{tag}"]
        podpy.run(["skopeo", "copy", "-q", "--insecure-policy", "--src-tls-verify=false", *source]).ok()
    podpy.ok("pull", "-q", f"containers-storage:{name}:all")
    for known in (digest, sha256(both)):
        podpy.ok("image", "exists", f"{name}@{known}")
    assert podpy.ok("images", "-n", "--digests").split()[2] == digest  # the one that came first, as there
    assert len(podpy.json("image", "inspect", f"{name}:all")[0]["RepoDigests"]) == 2
    # What Podman kept for the image and doesn't lead to it is left there.
    (item,) = theirs.glob("overlay-images/images.json")
    images = json.loads(item.read_text())
    foreign = b'{"schemaVersion":2,"manifests":[]}'
    key = f"manifest-{sha256(foreign)}"
    images[0]["big-data-names"].append(key)
    item.write_text(json.dumps(images))
    (item.parent / images[0]["id"] / f"={base64.b64encode(key.encode()).decode()}").write_bytes(foreign)
    podpy.ok("rmi", "-a")
    podpy.ok("pull", "-q", f"containers-storage:{name}:all")
    assert len(podpy.json("image", "inspect", f"{name}:all")[0]["RepoDigests"]) == 2


def test_a_store_has_one_spelling_for_the_policy(podpy: Podpy, theirs: Path, busybox_archive: Path) -> None:
    copy(podpy, busybox_archive, BUSYBOX)
    policy = podpy.home / "policy.json"
    scopes = {f"[overlay@{theirs}]": [{"type": "reject"}]}
    accept = [{"type": "insecureAcceptAnything"}]
    policy.write_text(json.dumps({"default": accept, "transports": {"containers-storage": scopes}}))
    pull = ("pull", "-q", "--signature-policy", str(policy))
    for spelling in (theirs, f"{theirs}/", f"{theirs.parent}/./x/../{theirs.name}", f"/{theirs}"):
        podpy(*pull, f"containers-storage:[overlay@{spelling}]busybox").fails(125, "is rejected by policy")
    podpy(*pull, f"containers-storage:[overlay@{theirs.name}]busybox").fails(125, "is not an absolute path")


def test_what_came_over_runs(podpy: Podpy, theirs: Path, busybox_archive: Path) -> None:
    copy(podpy, busybox_archive, BUSYBOX)
    podpy.ok("pull", "-q", "containers-storage:busybox")
    podpy.run(["unshare", "--map-root-user", "--map-auto", "rm", "-rf", str(theirs)]).ok()
    assert podpy.ok("run", "--rm", "busybox", "cat", "/etc/group").startswith("root:x:0:")


def test_names_ids_and_all_of_them(podpy: Podpy, theirs: Path, small: Image, bulky: Image, session_base: Path) -> None:
    for number, image in enumerate((small, bulky)):
        archive = image.write_docker_archive(session_base / f"s{number}-{os.urandom(4).hex()}.tar", "x:1")
        archive.chmod(0o644)
        copy(podpy, archive, f"example.com/x/y:{number}")
    ids = [sha256(image.config())[7:] for image in (small, bulky)]
    done = podpy("pull", "containers-storage:nothing")
    done.fails(125, "example.com/x/y:0, example.com/x/y:1", "podpy pull --all-tags containers-storage: brings all")
    assert podpy.ok("pull", "-q", f"containers-storage:{ids[1][:12]}") == ids[1]
    assert podpy.ok("images", "--format", "{{.Repository}}:{{.Tag}}") == "example.com/x/y:1"
    assert podpy.ok("pull", "-q", "--all-tags", "containers-storage:").split() == ids
    podpy.ok("rmi", "--all")
    assert podpy.ok("pull", "-q", "-a", "containers-storage:example.com/x/y").split() == ids
    podpy.ok("rmi", "--all")
    other = f"containers-storage:[overlay@{theirs}+/run/x]example.com/x/y:0"
    assert podpy.ok("pull", "-q", other, env={"CONTAINERS_STORAGE_CONF": "/nonexistent"}) == ids[0]


def test_a_store_that_cannot_be_read(podpy: Podpy, theirs: Path, busybox_archive: Path) -> None:
    name = f"containers-storage:{BUSYBOX}"
    podpy("pull", name).fails(125, f"{theirs}: Podman has no images there")
    (theirs / "vfs-images").mkdir()
    podpy("pull", name).fails(125, "has the driver vfs", "podman save NAME | podpy load")
    copy(podpy, busybox_archive, BUSYBOX)
    (layer,) = theirs.glob("overlay/*/diff")
    group = layer / "etc/group"
    group.write_bytes(group.read_bytes().swapcase())
    podpy("pull", name).fails(125, "unpacks to the digest", "Pull the image from its registry")
    group.write_bytes(b"short")
    podpy("pull", name).fails(125, "etc/group", "is shorter than it was")
    (recipe,) = theirs.glob("overlay-layers/*.tar-split.gz")
    recipe.write_bytes(b"garbage")
    podpy("pull", name).fails(125, "is not tar-split data")
    recipe.unlink()
    podpy("pull", name).fails(125, "has no tar-split data")
    (theirs / "overlay-layers/layers.json").write_text(json.dumps([]))
    podpy("pull", name).fails(125, "isn't in")
    assert podpy.ok("images", "-q") == ""
