"""`podpy system check` finds layers that aren't what they were; --repair brings each again, alone."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.image.odd_registry import OddRegistry
from tests.image.test_pull import configure, insecure
from tests.support.engine import Podpy
from tests.support.images import Image, Layer, sha256


@pytest.fixture
def three(podpy: Podpy, odd: OddRegistry) -> str:
    """A pulled image of three layers; the second one says nothing about its directory."""
    layers = [
        Layer().add("d", mode=0o751, uid=5).add("d/one", b"1" * 5000).tar(),
        Layer().add("d/two", b"2" * 5000, mode=0o640).symlink("d/link", "two").add("d/.wh.one", b"").tar(),
        Layer().add("e", mode=0o755).add("e/three", b"3").tar(),
    ]
    odd.add("x", "v1", Image(layers))
    configure(podpy, insecure(odd.address))
    name = f"{odd.address}/x:v1"
    podpy.ok("pull", "-q", name)
    odd.requests.clear()
    return name


def second_layer(podpy: Podpy) -> Path:
    (found,) = [path.parent.parent for path in podpy.graphroot.glob("layers/*/d/two")]
    return found


def second_blob(podpy: Podpy, odd: OddRegistry, name: str) -> Path:
    digest = podpy.json("image", "inspect", name)[0]["RootFS"]["Layers"][1]
    (found,) = [blob for blob, data in odd.blobs.items() if sha256(_unzipped(data)) == digest]
    return podpy.graphroot / "blobs/sha256" / found.removeprefix("sha256:")


def _unzipped(data: bytes) -> bytes:
    import gzip

    return gzip.decompress(data) if data.startswith(b"\x1f\x8b") else data


def in_image(podpy: Podpy, name: str, script: str) -> str:
    return podpy.ok("unshare", "sh", "-c", f'cd "$({podpy.launcher} image mount {name})" && {script}')


def test_a_store_that_is_well_has_nothing_to_say(podpy: Podpy, odd: OddRegistry, three: str) -> None:
    assert podpy.ok("system", "check") == ""
    assert podpy.ok("system", "check", "--repair") == ""
    assert odd.requests == []


def test_a_lost_layer_is_made_again_from_its_blob(podpy: Podpy, odd: OddRegistry, three: str) -> None:
    seen = "find . | sort | xargs stat -c '%n %a %u %s'"
    before = in_image(podpy, three, seen)
    podpy.ok("image", "unmount", "-a")
    lost = second_layer(podpy)
    shutil.rmtree(lost)
    told = podpy("system", "check", "--quick")
    assert told.returncode == 1
    assert f"layers/{lost.name} (" in told.stdout
    assert "is missing; it belongs to" in told.stdout
    assert podpy.ok("system", "check", "--repair").endswith(": repaired")
    assert odd.requests == []  # no network was needed
    assert podpy.ok("system", "check") == ""
    assert in_image(podpy, three, seen) == before
    podpy.ok("image", "unmount", "-a")


@pytest.mark.parametrize("change", ["bytes", "missing file", "mode", "more"])
def test_a_changed_file_is_found_and_mended(podpy: Podpy, odd: OddRegistry, three: str, change: str) -> None:
    layer = second_layer(podpy)
    file = layer / "d/two"
    if change == "bytes":
        file.write_bytes(b"3" * 5000)
    elif change == "missing file":
        file.unlink()
    elif change == "mode":
        file.chmod(0o644)
    else:
        (layer / "d/more").touch()
    assert podpy.ok("system", "check", "--quick") == ""
    told = podpy("system", "check")
    assert told.returncode == 1
    wrong = "d/more" if change == "more" else "d/two"
    assert told.stdout.endswith(f"isn't what it was: {wrong} is another one\n")
    assert podpy.ok("system", "check", "--repair").endswith(": repaired")
    assert podpy.ok("system", "check") == ""
    assert odd.requests == []


def test_a_damaged_blob_is_fetched_again_and_nothing_else(podpy: Podpy, odd: OddRegistry, three: str) -> None:
    blob = second_blob(podpy, odd, three)
    data = bytearray(blob.read_bytes())
    data[len(data) // 2] ^= 1
    blob.write_bytes(data)
    told = podpy("system", "check")
    assert told.returncode == 1
    assert f"blob sha256:{blob.name} isn't what it was any more" in told.stdout
    assert podpy.ok("system", "check", "--repair").endswith(": repaired")
    assert [path for path in odd.paths() if "/blobs/" in path] == [f"/v2/x/blobs/sha256:{blob.name}"]
    assert podpy.ok("system", "check") == ""
    podpy.ok("save", "-q", "-o", str(podpy.home / "saved.tar"), three)


def test_layer_and_blob_lost_come_from_the_registry(podpy: Podpy, odd: OddRegistry, three: str) -> None:
    blob, layer = second_blob(podpy, odd, three), second_layer(podpy)
    blob.unlink()
    shutil.rmtree(layer)
    assert podpy("system", "check", "--repair").ok().count(": repaired") >= 2
    assert [path for path in odd.paths() if "/blobs/" in path] == [f"/v2/x/blobs/sha256:{blob.name}"]
    assert podpy.ok("system", "check") == ""
    podpy.ok("rmi", "-f", three)
    assert [*(podpy.graphroot / "layers").iterdir()] == [*(podpy.graphroot / "blobs/sha256").iterdir()] == []


def test_what_no_registry_has_is_told_and_nothing_is_lost(podpy: Podpy, small: Image) -> None:
    podpy.ok("load", "-q", "-i", str(small.write_docker_archive(podpy.home / "small.tar", "localhost/small:1")))
    (two,) = podpy.graphroot.glob("layers/*/etc/two")
    two.write_bytes(b"!")
    told = podpy("system", "check", "--repair")
    assert told.returncode == 1
    assert "what the store has of it makes a tar with the digest" in told.stdout
    assert "has no name in a registry. Load or build it again" in told.stdout
    assert two.read_bytes() == b"!"
    two.write_bytes(b"2")
    assert podpy("system", "check").returncode == 0


@pytest.mark.parametrize("place", ["replace:renamed", "commit:inserted", "commit:committed"])
def test_a_repair_that_is_killed_is_done_by_the_next_one(
    podpy: Podpy, odd: OddRegistry, three: str, place: str
) -> None:
    shutil.rmtree(second_layer(podpy))
    assert podpy("system", "check", "--repair", env={"PODPY_CRASH_AT": place}).returncode != 0
    podpy.ok("system", "check", "--repair")
    assert podpy.ok("system", "check") == ""
    assert second_layer(podpy).is_dir()


def test_copies_of_a_damaged_layer_go_with_it(podpy: Podpy, odd: OddRegistry, three: str) -> None:
    podpy.ok("create", "--name=c", "--uidmap=0:1:100", "--gidmap=0:1:100", three, "true")
    shown = f"cat $({podpy.launcher} mount c)/d/two; {podpy.launcher} unmount c"
    (second_layer(podpy) / "d/two").write_bytes(b"damaged")
    assert podpy.ok("unshare", "sh", "-c", shown).startswith("damaged")
    copies = set((podpy.graphroot / "mapped").iterdir())
    damaged = {copy for copy in copies if copy.name.startswith(f"{second_layer(podpy).name}-")}
    assert damaged and damaged != copies
    assert podpy.ok("system", "check", "--repair").endswith(": repaired")
    assert set((podpy.graphroot / "mapped").iterdir()) == copies - damaged
    assert podpy.ok("unshare", "sh", "-c", shown).startswith("2" * 5000)


def test_a_damaged_layer_stays_while_it_is_mounted(podpy: Podpy, odd: OddRegistry, three: str) -> None:
    (second_layer(podpy) / "d/link").unlink()
    script = f"{podpy.launcher} system check --repair; cat d/two"
    shown = in_image(podpy, three, script)
    assert ": not while it is mounted: image " in shown and shown.endswith("2" * 5000)
    podpy.ok("image", "unmount", "-a")
    podpy.ok("create", "--name=c", three, "true")
    shown = podpy.ok("unshare", "sh", "-c", f"cd $({podpy.launcher} mount c); {script}")
    assert ": not while it is mounted: container c" in shown and shown.endswith("2" * 5000)
    podpy.ok("rm", "c")
    assert podpy.ok("system", "check", "--repair").endswith(": repaired")
