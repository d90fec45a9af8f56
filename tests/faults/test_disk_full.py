"""A full disk: a clear error, the old state kept, and work goes on when there is space again."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import needs, wait
from tests.support.engine import Podpy
from tests.support.images import BUSYBOX, Image, Layer, busybox_image
from tests.support.users import User

MEGABYTES = 32


@pytest.fixture
def kind() -> str:
    """The type of file system that `small_disk` has."""
    return "ext4"


@pytest.fixture
def small_disk(session_base: Path, tmp_path: Path, kind: str) -> Iterator[Path]:
    """A file system of 32 MB, mounted where every user can reach it."""
    needs.require("mount")
    point = session_base / f"disk-{os.getpid()}"
    point.mkdir(mode=0o755)
    if kind == "tmpfs":
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={MEGABYTES}m", "tmpfs", point], check=True)
    else:
        image = tmp_path / "disk"
        image.touch()
        os.truncate(image, MEGABYTES << 20)
        subprocess.run(["mkfs.ext4", "-q", "-m0", "-b4096", image], check=True)
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
    pulled = cramped("--root", os.fspath(cramped.graphroot), "pull", f"docker-archive:{archive}")
    archive.unlink()
    result.fails(125, "the image needs more than", "are free")
    pulled.fails(125, "the image needs more than", f"podpy --root {cramped.graphroot} system prune")
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


def test_a_build_that_does_not_fit_leaves_a_cache_that_works(cramped: Podpy, tmp_path: Path) -> None:
    context = cramped.home.parent.parent / f"context-{os.getpid()}"  # on another disk
    (context / "big").mkdir(parents=True)
    try:
        for number in range(MEGABYTES):
            (context / f"big/{number}").write_bytes(os.urandom(1 << 20))
        (context / "small").write_text("x")
        text = f"FROM {BUSYBOX}\nRUN echo first > /first\nCOPY small /small\n"
        (context / "Dockerfile").write_text(f"{text}COPY big /big\n")
        before = cramped.ok("images", "-q", "--no-trunc")
        for options in ([], ["--jobs=2"]):
            cramped("build", "--network=none", *options, os.fspath(context)).fails(125, "No space left on device")
            assert cramped.ok("images", "-q", "--no-trunc") == before
            assert os.listdir(cramped.graphroot / "tmp") == []
        (context / "Dockerfile").write_text(text)
        assert cramped.ok("build", "--network=none", os.fspath(context)).count("--> Using cache ") == 2
        assert cramped("system", "check").ok() == ""
    finally:
        shutil.rmtree(context)


@pytest.mark.parametrize("kind", ["ext4", "tmpfs"])
def test_on_a_full_disk_everything_can_be_listed_stopped_and_removed(cramped: Podpy, small_disk: Path) -> None:
    for name in ("stops", "dies", "goes"):
        cramped.ok("run", "-d", "--name", name, "--network=none", BUSYBOX, "sleep", "1000")
    fill(small_disk)
    assert statuses(cramped) == {"stops": "Up", "dies": "Up", "goes": "Up"}
    assert cramped.ok("kill", "dies") == "dies"
    assert statuses(cramped) == {"stops": "Up", "dies": "Exited", "goes": "Up"}
    result = cramped("--root", os.fspath(cramped.graphroot), "run", "--network=none", BUSYBOX, "true")
    result.fails(125, "full", f"podpy --root {cramped.graphroot} system prune --all")
    assert cramped.ok("stop", "--time=0", "stops") == "stops"
    assert cramped.ok("rm", "--force", "--time=0", "goes") == "goes"
    assert statuses(cramped) == {"stops": "Exited", "dies": "Exited"}
    fill(small_disk)
    assert "Deleted Images" in cramped.ok("system", "prune", "--all", "--force")
    assert cramped.ok("images", "-q") == cramped.ok("ps", "-aq") == ""
    assert cramped("system", "check").ok() == ""


def test_the_databases_shared_memory_finds_room_on_a_full_disk(cramped: Podpy, small_disk: Path) -> None:
    """SQLite gives it back and takes it again whenever nobody else has the database open; others may be faster."""
    cramped.ok("run", "-d", "--name=stops", "--network=none", BUSYBOX, "sleep", "1000")
    fill(small_disk)
    os.truncate(cramped.graphroot / "podpy.sqlite-shm", 3)
    fill(small_disk)
    assert statuses(cramped) == {"stops": "Up"}
    assert cramped.ok("stop", "--time=0", "stops") == "stops"
    assert (cramped.graphroot / "reserve").stat().st_size > 1 << 20, "most of it is kept for a removal"
    assert cramped.ok("rm", "stops") == "stops"


def test_an_image_can_be_removed_from_a_full_disk(cramped: Podpy, small_disk: Path) -> None:
    fill(small_disk)
    assert "Deleted: " in cramped.ok("rmi", "--all", "--force")


def test_a_container_that_fills_the_disk_again_and_again_can_be_removed(cramped: Podpy, small_disk: Path) -> None:
    write = "while :; do cat /dev/zero >>/full; sleep 0.2; done 2>/dev/null"
    cramped.ok("run", "-d", "--name=writes", "--network=none", BUSYBOX, "sh", "-c", write)
    wait.until(lambda: free(small_disk) < 1 << 19, what="the disk is full")
    reserve = cramped.graphroot / "reserve"
    assert reserve.stat().st_blocks * 512 >= 2 << 20
    assert cramped.ok("rm", "--force", "--time=0", "writes") == "writes"
    assert free(small_disk) > 8 << 20
    assert cramped.ok("ps", "-aq") == ""
    assert reserve.exists(), "what was given up is kept back again"


def test_what_a_container_has_filled_it_still_ends_with_its_own_exit_code(cramped: Podpy, small_disk: Path) -> None:
    write = "cat /dev/zero >/full; cat /dev/zero >/more; exit 7"
    assert cramped("run", "--name=full", "--network=none", BUSYBOX, "sh", "-c", write).returncode == 7
    fill(small_disk)
    assert statuses(cramped) == {"full": "Exited"}
    assert cramped.ok("rm", "full") == "full"


def fill(disk: Path) -> None:
    """Take the last byte of a file system."""
    with open(disk / f"filled-{len(os.listdir(disk))}", "wb", buffering=0) as file:
        for size in (1 << 20, 4096, 512, 1):
            try:
                while file.write(bytes(size)) == size:
                    pass
            except OSError as error:
                assert error.errno == errno.ENOSPC


def free(disk: Path) -> int:
    room = os.statvfs(disk)
    return room.f_bavail * room.f_frsize


def statuses(podpy: Podpy) -> dict[str, str]:
    """Return the first word of each container's status, by name."""
    lines = podpy.ok("ps", "-a", "--format", "{{.Names}} {{.Status}}").splitlines()
    return {line.split()[0]: line.split()[1] for line in lines}


def test_a_cidfile_that_finds_no_room_is_not_left_empty(podpy: Podpy, busybox: str, small_disk: Path) -> None:
    small_disk.chmod(0o777)
    fill(small_disk)
    path = small_disk / "cid"
    podpy("create", f"--cidfile={path}", busybox).fails(125, f"--cidfile {path}: No space left on device")
    assert not path.exists()
    assert podpy.ok("ps", "-aq") == ""
