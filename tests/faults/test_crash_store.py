"""kill -9 of what changes images, at each step and at random: the next call repairs, and nothing is left."""

from __future__ import annotations

import os
import random
import subprocess
import time
from pathlib import Path

import pytest

from tests.faults.repaired import KILLED, SEED, assert_repaired
from tests.support.engine import Podpy
from tests.support.images import BUSYBOX, Image, Layer
from tests.support.registry import Registry

KILLS = int(os.environ.get("PODPY_TEST_KILLS", "60"))
COMMIT = ("commit:synced:before", "commit:synced:after", "commit:renamed", "commit:inserted", "commit:committed")


@pytest.fixture
def other(busybox_image: Image, session_base: Path) -> Image:
    """An image with busybox's layer and one of its own."""
    own = Layer().add("own", b"".join(b"%d\n" % n for n in range(20000)))
    return Image([*busybox_image.layers, own.tar()], busybox_image.settings)


def assert_no_orphans(podpy: Podpy) -> None:
    """`images` has as many layers and blobs on the disk as in the database: `system check` says so, without repair."""
    podpy.ok("run", "--rm", "--network", "none", BUSYBOX, "true")
    assert podpy.ok("system", "check") == ""


@pytest.mark.parametrize("point", COMMIT)
def test_load_is_killed(podpy: Podpy, busybox: str, other: Image, tmp_path: Path, point: str) -> None:
    archive = other.write_docker_archive(podpy.home / "other.tar", "localhost/other:latest")
    result = podpy("load", "-i", str(archive), env={"PODPY_CRASH_AT": point})
    assert result.returncode == KILLED, result.describe()
    assert_no_orphans(podpy)
    podpy.ok("load", "-i", str(archive))
    assert podpy.ok("run", "--rm", "--network", "none", "other", "tail", "-n1", "/own") == "19999"


@pytest.mark.parametrize("point", COMMIT)
def test_pull_is_killed(podpy: Podpy, busybox: str, other: Image, registry: Registry, point: str) -> None:
    registry.push("other", "1", other)
    name = f"{registry.address}/other:1"
    result = podpy("pull", "--tls-verify=false", name, env={"PODPY_CRASH_AT": point})
    assert result.returncode == KILLED, result.describe()
    assert_no_orphans(podpy)
    podpy.ok("pull", "--tls-verify=false", name)
    assert podpy.ok("run", "--rm", "--network", "none", name, "tail", "-n1", "/own") == "19999"


def test_rmi_is_killed(podpy: Podpy, busybox: str, other: Image, registry: Registry) -> None:
    registry.push("other", "1", other)
    podpy.ok("pull", "--tls-verify=false", f"{registry.address}/other:1")
    result = podpy("rmi", f"{registry.address}/other:1", env={"PODPY_CRASH_AT": "remove:committed"})
    assert result.returncode == KILLED, result.describe()
    assert_no_orphans(podpy)
    assert len(os.listdir(podpy.graphroot / "layers")) == 1


def test_a_blob_that_another_call_is_just_removing_can_be_pulled(
    podpy: Podpy, busybox: str, other: Image, registry: Registry
) -> None:
    """The rows are gone, the files aren't yet: what is pulled then must not go with them."""
    registry.push("other", "1", other)
    name = f"{registry.address}/other:1"
    podpy.ok("pull", "--tls-verify=false", name)
    podpy("rmi", name, env={"PODPY_CRASH_AT": "remove:committed"})
    podpy.ok("pull", "--tls-verify=false", name)
    assert_no_orphans(podpy)
    assert podpy.ok("run", "--rm", "--network", "none", name, "tail", "-n1", "/own") == "19999"


def test_all_commands_are_killed_at_random_moments(
    podpy: Podpy, busybox: str, other: Image, registry: Registry, busybox_archive: Path
) -> None:
    registry.push("other", "1", other)
    name = f"{registry.address}/other:1"
    commands = (
        ("run", "--rm", "--network", "none", busybox, "true"),
        ("run", "-d", "--name", "c", "--network", "none", busybox, "sleep", "1000"),
        ("create", "--name", "d", "-v", "data:/data", busybox, "true"),
        ("start", "d"),
        ("stop", "--time", "0", "c"),
        ("restart", "--time", "0", "c"),
        ("exec", "c", "true"),
        ("rm", "--force", "--time", "0", "c"),
        ("rm", "--force", "d"),
        ("pull", "--quiet", "--tls-verify=false", name),
        ("rmi", name),
        ("load", "--quiet", "-i", str(busybox_archive)),
    )
    chance = random.Random(SEED)
    for number in range(KILLS):
        process = podpy.popen(*chance.choice(commands), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(chance.uniform(0, 0.2))
        process.kill()
        process.wait()
        if number % 20 == 19:
            assert_repaired(podpy, busybox)


@pytest.mark.parametrize("point", ["commit:inserted", "commit:committed"])
def test_manifest_add_is_killed(podpy: Podpy, busybox: str, point: str) -> None:
    (podpy.home / "file").write_text("x")
    podpy.ok("manifest", "create", "all", busybox)
    add = ("manifest", "add", "--artifact", "all", "file")
    assert podpy(*add, env={"PODPY_CRASH_AT": point}).returncode == KILLED
    there = len(podpy.json("manifest", "inspect", "all")["manifests"])
    assert there == (1 if point == "commit:inserted" else 2)
    assert_no_orphans(podpy)
    podpy.ok(*add)
    assert len(podpy.json("manifest", "inspect", "all")["manifests"]) == 2
    podpy.ok("manifest", "rm", "all")
    assert_no_orphans(podpy)


@pytest.mark.parametrize("point", ["commit:inserted", "commit:committed"])
def test_artifact_replace_is_killed(podpy: Podpy, point: str) -> None:
    (podpy.home / "file").write_text("old")
    podpy.ok("artifact", "add", "example.com/x:1", "file")
    (podpy.home / "file").write_text("new")
    result = podpy("artifact", "add", "--replace", "example.com/x:1", "file", env={"PODPY_CRASH_AT": point})
    assert result.returncode == KILLED, result.describe()
    found = podpy("artifact", "extract", "example.com/x:1", "/dev/stdout").stdout
    assert found == ("old" if point == "commit:inserted" else "new")
    podpy.ok("artifact", "add", "example.com/y:1", "file")
    assert podpy("artifact", "rm", "--all", env={"PODPY_CRASH_AT": "remove:committed"}).returncode == KILLED
    podpy.ok("artifact", "rm", "--all")
    assert podpy.ok("system", "check") == ""
    assert [*podpy.graphroot.glob("blobs/sha256/*")] == []
