"""Volumes in another directory (`--volumepath`), and volumes with an image's files (`--driver image`)."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.libpod.test_volume_transfer import KILLED, tar_of
from tests.support.engine import Podpy

QUICK = ("run", "--rm", "--network=none")


@pytest.fixture
def disk(podpy: Podpy) -> Iterator[Path]:
    """A directory of the user's on another file system than the graph root."""
    path = Path(tempfile.mkdtemp(prefix="podpy-test-", dir="/dev/shm"))
    os.chown(path, podpy.user.uid, podpy.user.gid)
    assert path.stat().st_dev != podpy.home.stat().st_dev
    yield path
    shutil.rmtree(path)


def test_volumes_are_where_the_first_call_wanted_them(podpy: Podpy, busybox: str, disk: Path) -> None:
    place = disk / "volumes"
    option = f"--volumepath={place}"
    podpy.ok(option, *QUICK, "-v", "data:/bin", busybox, "true")
    assert (place / "data/_data/sh").exists(), "the image's files are copied to another file system, too"
    podpy.ok("volume", "import", "data", "-", input=tar_of(("new", "1"), ("sh", "2")))
    assert (place / "data/_data/sh").read_text() == "2"
    assert podpy.ok("volume", "inspect", "-f", "{{.Mountpoint}}", "data") == f"{place}/data/_data"
    assert podpy.ok("info", "-f", "{{.Store.VolumePath}}") == f"{place}"
    podpy(f"--volumepath={disk}/other", "volume", "ls").fails(
        125, f'database volume path "{place}" does not match our volume path "{disk}/other"'
    )
    podpy.ok(option, "volume", "rename", "data", "store")
    assert podpy.ok("system", "check") == ""
    podpy.ok("volume", "rm", "store")
    assert os.listdir(place) == [".podpy"]


def test_a_store_that_has_volumes_keeps_their_place(podpy: Podpy, disk: Path) -> None:
    podpy.ok("volume", "create", "data")
    podpy(f"--volumepath={disk}", "volume", "ls").fails(125, "does not match our volume path")
    podpy.ok("volume", "rm", "data")
    podpy.ok(f"--volumepath={disk}", "volume", "create", "data")
    assert (disk / "data/_data").is_dir()


def test_a_disk_that_is_not_there_is_no_place_for_new_files(podpy: Podpy, disk: Path) -> None:
    place = disk / "volumes"
    podpy.ok(f"--volumepath={place}", "volume", "create", "data")
    place.rename(disk / "unmounted")
    podpy("volume", "create", "other").fails(125, f"the directory of the volumes is missing: {place}", "mounted?")
    podpy("volume", "rm", "data").fails(125, "the directory of the volumes is missing")
    assert not place.exists()
    (disk / "unmounted").rename(place)
    assert podpy.ok("volume", "rm", "data") == "data"


def test_what_a_killed_call_left_there_goes_with_the_next_one(podpy: Podpy, busybox: str, disk: Path) -> None:
    podpy.ok(f"--volumepath={disk}", "volume", "create", "data")
    killed = podpy(*QUICK, "-v", "data:/bin", busybox, "true", env={"PODPY_CRASH_AT": "volume:copied"})
    assert killed.returncode in (KILLED, -signal.SIGKILL), killed.describe()
    assert os.listdir(disk / ".podpy/tmp") != [] == os.listdir(disk / "data/_data")
    podpy.ok("system", "check", "--repair")
    assert os.listdir(disk / ".podpy/tmp") == []


def test_reset_leaves_the_directory_to_its_owner(podpy: Podpy, disk: Path) -> None:
    podpy.ok(f"--volumepath={disk}/volumes", "volume", "create", "data")
    podpy.ok("volume", "import", "data", "-", input=tar_of(("f", "1")))
    podpy.ok("system", "reset", "--force")
    assert list(disk.iterdir()) == []
    assert not podpy.graphroot.exists()


def test_a_volume_with_an_images_files_keeps_what_containers_change(podpy: Podpy, busybox: str) -> None:
    made = podpy.ok("volume", "create", "-d", "image", "-o", f"image={busybox}", "--label=a=b", "files")
    assert made == "files"
    (shown,) = podpy.json("volume", "inspect", "files")
    assert (shown["Driver"], shown["Options"], shown["Labels"]) == ("image", {"image": busybox}, {"a": "b"})
    podpy.ok(*QUICK, "-v", "files:/v", busybox, "sh", "-c", "test -x /v/bin/sh && rm /v/bin/ls && echo 1 > /v/bin/new")
    assert podpy.ok(*QUICK, "-v", "files:/v", busybox, "cat", "/v/bin/new") == "1"
    podpy(*QUICK, "-v", "files:/v", busybox, "test", "-e", "/v/bin/ls").fails(1)
    assert podpy.ok("volume", "ls", "-q", "--filter=driver=image") == "files"
    podpy.ok("volume", "rm", "files")
    assert not (podpy.graphroot / "volumes/files").exists()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "must provide an image name when creating a volume with the image driver: invalid argument"),
        (("-o", "type=tmpfs"), "invalid mount option type for driver 'image': invalid argument"),
        (("-o", "image=localhost/nosuch"), "looking up image localhost/nosuch to create volume failed: "),
    ],
)
def test_an_image_volume_that_can_not_be(podpy: Podpy, words: tuple[str, ...], told: str) -> None:
    podpy("volume", "create", "-d", "image", *words, "files").fails(125, told)
    assert podpy.ok("volume", "ls", "-q") == ""
