"""What a container left in a volume, or an image has in its root, leads nowhere: one test for each class of advisory.

Every link here is harmless: it points at a directory of the test's own, and what is looked for is the test's own file.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support import images
from tests.support.engine import Podpy, Result

Run = Callable[..., Result]
Build = Callable[..., str]


@pytest.fixture
def run(podpy: Podpy, busybox: str) -> Run:
    """Return a function that runs a shell script: `podpy run --rm --network=none OPTIONS… IMAGE sh -c SCRIPT`."""

    def call(script: str, *words: str, image: str = busybox) -> Result:
        return podpy("run", "--rm", "--network=none", *words, image, "sh", "-c", script)

    return call


@pytest.fixture
def build(podpy: Podpy, busybox_image: images.Image, session_base: Path) -> Build:
    """Return a function that loads busybox with one more layer and other settings, and returns the image's name."""

    def call(name: str, layer: images.Layer, **settings: Any) -> str:
        image = images.Image([*busybox_image.layers, layer.tar()], {**busybox_image.settings, **settings})
        full = f"localhost/{name}:latest"
        podpy.ok("load", "-i", str(image.write_docker_archive(session_base / f"{name}.tar", full)))
        return full

    return call


@pytest.fixture
def outside(podpy: Podpy) -> Path:
    """A directory of the user's on the host that no container was given."""
    path = podpy.home / "outside"
    podpy.run(["sh", "-c", f"mkdir {path} && echo host > {path}/file"]).ok()
    return path


def config_of(podpy: Podpy, name: str) -> dict[str, Any]:
    """Return config.json of a container that runs."""
    container = podpy.ok("inspect", "--format={{.Id}}", name)
    loaded: dict[str, Any] = json.loads((podpy.runroot / f"containers/{container}/bundle/config.json").read_text())
    return loaded


# Links in a volume and `subpath` (CVE-2017-1002101, CVE-2024-23651, CVE-2025-9566)


def test_a_subpath_is_a_part_of_its_volume(run: Run) -> None:
    run("mkdir -p /v/a/b; echo 1 > /v/a/b/x; echo 2 > /v/y", "-v", "vol:/v").ok()
    assert run("cat /d/x; echo 3 > /d/z", "--mount=type=volume,src=vol,dst=/d,subpath=a/b").ok() == "1"
    assert run("cat /v/a/b/z", "-v", "vol:/v").ok() == "3"
    assert run("cat /f", "--mount=type=volume,src=vol,dst=/f,subpath=y,ro").ok() == "2"
    result = run("echo x > /d/x", "--mount=type=volume,src=vol,dst=/d,subpath=a/b,ro")
    assert result.returncode != 0 and "Read-only file system" in result.stderr


def test_a_subpath_is_there_again_after_a_restart(podpy: Podpy, run: Run, busybox: str) -> None:
    run("mkdir /v/a; echo 1 > /v/a/x", "-v", "vol:/v").ok()
    podpy.ok(
        "create", "--name=c", "--network=none", "--mount=type=volume,src=vol,dst=/d,subpath=a", busybox, "cat", "/d/x"
    )
    assert [podpy.ok("start", "-a", "c") for _ in range(2)] == ["1", "1"]


def test_a_link_that_stays_in_the_volume_is_followed(run: Run) -> None:
    run("mkdir -p /v/a/b; echo 1 > /v/a/b/x; ln -s a/b /v/link", "-v", "vol:/v").ok()
    assert run("cat /d/x", "--mount=type=volume,src=vol,dst=/d,subpath=link").ok() == "1"


@pytest.mark.parametrize("subpath", ["link", "link/file", "up"])
def test_a_link_that_leaves_the_volume_is_refused(run: Run, outside: Path, subpath: str) -> None:
    run(f"ln -s {outside} /v/link; ln -s .. /v/up", "-v", "vol:/v").ok()
    result = run("ls /d", f"--mount=type=volume,src=vol,dst=/d,subpath={subpath}")
    result.fails(125, f'subpath "{subpath}" of volume "vol"', "leads out of it")


@pytest.mark.parametrize("subpath", ["..", "a/../..", "/etc"])
def test_a_subpath_out_of_the_volume_is_a_usage_error(run: Run, podpy: Podpy, subpath: str) -> None:
    run("true", f"--mount=type=volume,src=vol,dst=/d,subpath={subpath}").fails(
        125, f'subpath "{subpath}" must be relative'
    )
    assert not (podpy.graphroot / "volumes/vol").exists()


def test_a_subpath_that_is_not_there_is_named(run: Run) -> None:
    result = run("true", "--mount=type=volume,src=vol,dst=/d,subpath=no/such")
    result.fails(125, 'no such file or directory: subpath "no/such" of volume "vol"')


# A tree that is given away while others write in it (CVE-2026-55686, CVE-2025-52881)


def test_chown_gives_links_away_and_never_what_they_lead_to(run: Run, outside: Path) -> None:
    run(f"mkdir /v/d; touch /v/d/f; ln -s {outside} /v/d/l; ln -s f /v/d/m", "-v", "vol:/v").ok()
    shown = run("stat -c '%u:%g %n' /v /v/d /v/d/f /v/d/l /v/d/m", "-v", "vol:/v:U", "-u", "77:78").ok()
    assert {line.split()[0] for line in shown.splitlines()} == {"77:78"}
    assert (outside / "file").stat().st_uid == outside.stat().st_uid == outside.parent.stat().st_uid


def test_chown_leaves_a_tree_whose_top_is_the_users(run: Run) -> None:
    run("touch /v/first", "-v", "vol:/v:U", "-u", "77:78").ok()
    run("touch /v/new", "-v", "vol:/v").ok()
    assert run("stat -c %u /v /v/new", "-v", "vol:/v:U", "-u", "77:78").ok().split() == ["77", "0"]


def test_chown_of_a_file(run: Run, outside: Path) -> None:
    assert run("stat -c %u /f", "-v", f"{outside}/file:/f:U", "-u", "77").ok() == "77"


# tmpfs below a volume: the runtime's second look-up for tmpcopyup (CVE-2026-133553)


def test_a_tmpfs_below_a_volume_gets_no_files_of_the_image(podpy: Podpy, busybox: str, build: Build) -> None:
    image = build("tmpfs", images.Layer().symlink("link", "data"))
    words = ["-v", "vol:/data", "--tmpfs=/data/cache", "--tmpfs=/link/other", "--tmpfs=/elsewhere"]
    podpy.ok("run", "-d", "--name=c", "--network=none", *words, image, "sleep", "100")
    options = {mount["destination"]: mount["options"] for mount in config_of(podpy, "c")["mounts"]}
    assert not {"/data/cache", "/data/other", "/link/other"} & options.keys(), "podpy mounts those itself"
    assert "tmpcopyup" in options["/elsewhere"]
    mounted = podpy.ok("exec", "c", "cat", "/proc/mounts")
    assert " /data/cache tmpfs " in mounted and " /data/other tmpfs " in mounted
    assert podpy.ok("exec", "c", "ls", "-A", "/data/cache", "/data/other").split() == ["/data/cache:", "/data/other:"]


def test_tmpcopyup_below_a_volume_is_refused_with_its_reason(run: Run) -> None:
    result = run("true", "-v", "vol:/data", "--mount=type=tmpfs,dst=/data/cache,tmpcopyup")
    result.fails(125, "tmpcopyup of /data/cache", "the mount at /data", "notmpcopyup")


def test_default_tmpfs_below_a_volume_get_no_files_of_the_image(podpy: Podpy, busybox: str) -> None:
    podpy.ok("run", "-d", "--name=c", "--network=none", "--read-only", "-v", "vol:/var", busybox, "sleep", "100")
    options = {mount["destination"]: mount["options"] for mount in config_of(podpy, "c")["mounts"]}
    assert "/var/tmp" not in options and "tmpcopyup" in options["/tmp"]
    assert " /var/tmp tmpfs " in podpy.ok("exec", "c", "cat", "/proc/mounts")


# Links where the runtime mounts and makes devices (CVE-2026-47766, CVE-2026-41579, CVE-2026-88264)


@pytest.mark.parametrize("link", ["dev", "proc", "sys", "dev/shm", "dev/pts", "dev/mqueue"])
def test_an_image_with_a_link_for_a_kernels_file_system_is_refused(run: Run, build: Build, link: str) -> None:
    image = build("link-" + link.replace("/", "-"), images.Layer().add("elsewhere").symlink(link, "/elsewhere"))
    run("true", image=image).fails(125, f"/{link} of {image} is a symbolic link")


@pytest.mark.parametrize("name", ["console", "null"])
def test_a_directory_with_linked_devices_cannot_be_dev(run: Run, outside: Path, name: str) -> None:
    (outside / name).symlink_to("file")
    run("true", "-v", f"{outside}:/dev").fails(125, f"{outside}/{name} is a symbolic link")


# A working directory over a link (CVE-2026-55686)


def test_a_working_directory_over_a_link_is_made_inside(run: Run, build: Build, outside: Path) -> None:
    image = build("workdir-link", images.Layer().symlink("wd", os.fspath(outside)), WorkingDir="/wd/new")
    assert run("pwd -P", image=image).ok() == f"{outside}/new"
    assert not (outside / "new").exists()


def test_a_working_directory_that_cannot_be_made_is_named(run: Run, build: Build) -> None:
    for number, workdir in enumerate(["/file/new", "/loop/new"]):
        layer = images.Layer().add("file", b"").symlink("loop", "loop")
        image = build(f"workdir{number}", layer, WorkingDir=workdir)
        run("true", image=image).fails(126, f'workdir "{workdir}" can\'t be made')
