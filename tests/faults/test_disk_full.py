"""A full disk: a clear error, the old state kept, and work goes on when there is space again."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import needs
from tests.support.engine import Podpy
from tests.support.images import BUSYBOX, Image, Layer, busybox_image
from tests.support.users import User

MEGABYTES = 32


@pytest.fixture
def small_disk(session_base: Path, tmp_path: Path) -> Iterator[Path]:
    """A file system of 32 MB, mounted where every user can reach it."""
    needs.require("mount")
    image = tmp_path / "disk"
    image.touch()
    os.truncate(image, MEGABYTES << 20)
    subprocess.run(["mkfs.ext4", "-q", "-m0", image], check=True)
    point = session_base / f"disk-{os.getpid()}"
    point.mkdir(mode=0o755)
    subprocess.run(["mount", "-o", "loop", image, point], check=True)
    point.chmod(0o755)
    yield point
    subprocess.run(["umount", point], check=True)
    point.rmdir()


@pytest.fixture
def cramped(launcher: Path, user: User, small_disk: Path, busybox_archive: Path) -> Iterator[Podpy]:
    """podpy with its images and containers on the small disk, busybox in its store."""
    podpy = Podpy(launcher, user, small_disk)
    podpy.ok("load", "-qi", os.fspath(busybox_archive))
    yield podpy
    podpy.close()


def big_archive(directory: Path) -> Path:
    """Return an archive of an image that is larger than the disk."""
    layer = Layer()
    for number in range(MEGABYTES):
        layer.add(f"big{number}", os.urandom(1 << 20))
    archive = Image([busybox_image().layers[0], layer.tar()]).write_docker_archive(
        directory / "big.tar", "localhost/big:latest"
    )
    archive.chmod(0o644)
    return archive


def test_an_image_that_does_not_fit(cramped: Podpy, session_base: Path) -> None:
    before = cramped.ok("images", "-q", "--no-trunc")
    archive = big_archive(session_base)
    result = cramped("load", "-qi", os.fspath(archive))
    archive.unlink()
    result.fails(125, "the image needs more than", "are free")
    assert cramped.ok("images", "-q", "--no-trunc") == before
    assert cramped.ok("run", "--rm", "--network=none", BUSYBOX, "echo", "fine") == "fine"
    assert cramped("system", "check").ok() == ""
    assert os.listdir(cramped.graphroot / "tmp") == []


def test_a_container_that_fills_the_disk_hurts_only_itself(cramped: Podpy) -> None:
    fill = "dd if=/dev/zero of=/full bs=1M 2>&1 | grep -o 'No space left on device'; echo still here"
    result = cramped("run", "--name=full", "--network=none", BUSYBOX, "sh", "-c", fill)
    assert result.stdout.splitlines() == ["No space left on device", "still here"], result.describe()
    assert cramped.ok("ps", "-a", "--format", "{{.Names}} {{.Status}}").startswith("full Exited (0)")
    cramped("run", "--rm", "--network=none", BUSYBOX, "true")  # may fail for want of space, but says so
    assert cramped.ok("rm", "full") == "full"
    assert cramped.ok("run", "--rm", "--network=none", BUSYBOX, "echo", "fine") == "fine"
