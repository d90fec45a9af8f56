"""Mounts of a running container: what is seen, who may write, and that no symbolic link of an image leads out."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import images
from tests.support.engine import Podpy, Result

Run = Callable[..., Result]


@pytest.fixture
def run(podpy: Podpy, busybox: str) -> Run:
    """Return a function that runs a shell script: `podpy run --rm --network=none OPTIONS… busybox sh -c SCRIPT`."""

    def call(script: str, *words: str, image: str = busybox) -> Result:
        return podpy("run", "--rm", "--network=none", *words, image, "sh", "-c", script)

    return call


@pytest.fixture
def folder(podpy: Podpy) -> Path:
    """A directory of the user's on the host, with a file in it."""
    path = podpy.home / "folder"
    podpy.run(["sh", "-c", f"mkdir {path} && echo host > {path}/file"]).ok()
    return path


def test_a_directory_of_the_host_is_seen_and_written(run: Run, folder: Path) -> None:
    assert run("cat /d/file; echo inside > /d/new", "-v", f"{folder}:/d").ok() == "host"
    assert (folder / "new").read_text() == "inside\n"


def test_read_only_directories_refuse_to_be_written(run: Run, folder: Path) -> None:
    for option in (f"-v={folder}:/d:ro", f"--mount=type=bind,src={folder},dst=/d,ro"):
        result = run("echo x > /d/new", option)
        assert result.returncode != 0 and "Read-only file system" in result.stderr


def test_a_source_that_is_not_there_is_named(run: Run, podpy: Podpy, busybox: str) -> None:
    run("true", "-v", "/no/such:/d").fails(125, "statfs /no/such: no such file or directory")
    create = podpy("create", "--name=c", "-v", "/no/such:/d", busybox, "true")
    create.fails(125, "statfs /no/such: no such file or directory")
    assert podpy.ok("ps", "-aq") == "", "a container that could never start was made"


def test_a_file_can_be_mounted_where_the_image_has_nothing(run: Run, folder: Path) -> None:
    assert run("cat /new/place", "-v", f"{folder}/file:/new/place").ok() == "host"


def test_an_overlay_keeps_the_hosts_files(run: Run, folder: Path) -> None:
    assert run("echo inside > /d/file; cat /d/file", "-v", f"{folder}:/d:O").ok() == "inside"
    assert (folder / "file").read_text() == "host\n"


def test_chown_gives_the_files_to_the_containers_user(run: Run, folder: Path) -> None:
    assert run("stat -c %u /d /d/file", "-v", f"{folder}:/d:U", "-u", "user").ok().split() == ["1000", "1000"]


def test_a_volume_lives_on_and_starts_with_the_images_files(run: Run) -> None:
    assert "root" in run("cat /etc/passwd; echo 1 > /etc/new", "-v", "vol:/etc").ok()
    assert run("cat /v/new", "-v", "vol:/v").ok() == "1"


def test_another_containers_volumes_are_seen(podpy: Podpy, run: Run, busybox: str) -> None:
    podpy.ok("create", "--name", "one", "-v", "vol:/data", busybox, "true")
    run("echo 1 > /v/x", "-v", "vol:/v").ok()
    assert run("cat /data/x; touch /data/y 2>/dev/null || echo refused", "--volumes-from=one:ro").ok().split() == [
        "1", "refused",
    ]  # fmt: skip
    run("true", "--volumes-from=nosuch").fails(125, "nosuch")


def test_a_tmpfs_has_its_size_and_the_images_files(run: Run) -> None:
    assert "1024" in run("df -k /t | tail -1", "--tmpfs", "/t:size=1m").ok()
    assert "root" in run("cat /etc/passwd", "--tmpfs", "/etc").ok()
    assert "passwd" not in run("ls /etc", "--mount", "type=tmpfs,dst=/etc,notmpcopyup").ok().split()


def test_shared_memory_has_its_size(run: Run) -> None:
    assert run("df -k /dev/shm | tail -1", "--shm-size=2m").ok().split()[1] == "2048"


def test_read_only_containers_keep_their_temporary_places(run: Run) -> None:
    script = "touch /x 2>/dev/null || echo refused; touch /tmp/a /run/b /var/tmp/c /dev/shm/d && echo ok"
    assert run(script, "--read-only").ok().split() == ["refused", "ok"]
    assert run("touch /tmp/a 2>/dev/null || echo refused", "--read-only", "--read-only-tmpfs=false").ok() == "refused"


def test_devices_are_the_hosts(run: Run) -> None:
    assert run("ls -l /dev/mine | cut -c1", "--device=/dev/fuse:/dev/mine").ok() == "c"
    run("true", "--device=/dev/nosuch").fails(125, "stat /dev/nosuch: no such file or directory")
    run("true", "--device=/etc/passwd").fails(125, "is not a valid device")


def test_a_shared_mount_is_asked_for_by_name(run: Run, folder: Path) -> None:
    run("true", "-v", f"{folder}:/d:rslave").ok()


def test_idmap_is_refused_with_what_helps(run: Run, folder: Path) -> None:
    run("true", "-v", f"{folder}:/d:idmap").fails(125, "idmap", "keep-id")


def test_a_directory_can_be_the_root_and_is_left_as_it_was(podpy: Podpy, busybox: str) -> None:
    root = podpy.home / "root"
    script = f"mkdir -p {root}/bin && cp /bin/busybox {root}/bin && ln -s busybox {root}/bin/sh"
    podpy.run(["sh", "-c", script]).ok()
    shown = podpy(
        "run", "--rm", "--network=none", "-u", "77", "--rootfs", str(root), "sh", "-c", "echo hi; echo 1 > /new"
    )
    assert shown.stdout == "hi\n"
    podpy.ok("run", "--rm", "--network=none", "--rootfs", str(root), "sh", "-c", "echo 1 > /new")
    assert (root / "bin/sh").is_symlink() and (root / "new").exists()
    podpy.ok("run", "--rm", "--network=none", "--rootfs", f"{root}:O", "sh", "-c", "echo 1 > /other")
    assert not (root / "other").exists()


@pytest.fixture
def hostile(podpy: Podpy, busybox: str, busybox_image: images.Image, session_base: Path) -> str:
    """An image in which links lead to where a careless engine would write on the host."""
    layer = images.Layer()
    layer.symlink("up", "../../../../../../../../tmp").symlink("abs", "/tmp").symlink("self", "/proc/self/root")
    layer.symlink("loop", "loop").symlink("deep", "abs/../../../../..").symlink("dangling", "/no/such/place")
    image = images.Image([*busybox_image.layers, layer.tar()], busybox_image.settings)
    name = "localhost/hostile:latest"
    podpy.ok("load", "-i", str(image.write_docker_archive(session_base / "hostile.tar", name)))
    return name


@pytest.mark.parametrize("link", ["up", "abs", "self/tmp", "deep/tmp"])
def test_a_mount_through_a_link_stays_in_the_container(run: Run, hostile: str, folder: Path, link: str) -> None:
    name = f"podpy-attack-{os.getpid()}"
    result = run(f"cat /{link}/{name}/file /tmp/{name}/file", "-v", f"{folder}:/{link}/{name}", image=hostile)
    assert not Path("/tmp", name).exists(), "the mount point was made on the host"
    # crun may also refuse a link through /proc: what counts is that nothing happened outside.
    assert result.returncode in (0, 125, 126, 127), result.describe()
    if not link.startswith("self"):
        assert result.ok().split() == ["host", "host"]


@pytest.mark.parametrize("link", ["up", "abs", "deep/tmp"])
def test_a_working_directory_through_a_link_stays_in_the_container(
    podpy: Podpy, hostile: str, busybox_image: images.Image, session_base: Path, link: str
) -> None:
    name = f"podpy-attack-{os.getpid()}"
    settings = {**busybox_image.settings, "WorkingDir": f"/{link}/{name}"}
    layer = (
        images.Layer()
        .symlink("up", "../../../../../../../../tmp")
        .symlink("abs", "/tmp")
        .symlink("deep", "abs/../../..")
    )
    image = images.Image([*busybox_image.layers, layer.tar()], settings)
    podpy.ok("load", "-i", str(image.write_docker_archive(session_base / "workdir.tar", "localhost/workdir:latest")))
    shown = podpy.ok("run", "--rm", "--network=none", "localhost/workdir", "sh", "-c", f"pwd -P; ls -d /tmp/{name}")
    assert shown.split() == [f"/tmp/{name}", f"/tmp/{name}"]
    assert not Path("/tmp", name).exists(), "the working directory was made on the host"


def test_a_working_directory_in_a_loop_is_an_error(run: Run, hostile: str) -> None:
    result = run("true", "-w", "/loop/x", image=hostile)
    assert result.returncode == 126, result.describe()


def test_hostile_account_files_are_no_danger(podpy: Podpy, busybox_image: images.Image, session_base: Path) -> None:
    secret = podpy.home / "secret"
    podpy.run(["sh", "-c", f"echo 'boss:x:77:77::/:/bin/sh' > {secret}"]).ok()
    for number, passwd in enumerate([os.fspath(secret), "/proc/self/fd/0", "/dev/zero", "../../../../../etc/passwd"]):
        layer = images.Layer().symlink("etc/passwd", passwd)
        image = images.Image([*busybox_image.layers, layer.tar()], busybox_image.settings)
        name = f"localhost/accounts{number}:latest"
        podpy.ok("load", "-i", str(image.write_docker_archive(session_base / f"accounts{number}.tar", name)))
        podpy("run", "--rm", "--network=none", "-u", "boss", name, "true").fails(126, "unable to find user boss")


def test_a_working_directory_above_a_mount_is_made(run: Run, folder: Path) -> None:
    assert run("pwd; ls", "-v", f"{folder}:/new/www/html", "-w", "/new/www").ok().split() == ["/new/www", "html"]


def test_explain_names_every_step_of_a_mount_and_makes_nothing(podpy: Podpy, busybox: str, folder: Path) -> None:
    mounts = ["-v=vol:/v:U", "--mount=type=volume,src=vol,dst=/part,subpath=a", f"-v={folder}:/over:O"]
    shown = podpy.ok("run", "--explain", "--network=none", *mounts, "-w", "/w", busybox, "true")
    steps = [
        "look up the user root",
        "make the working directory /w",
        "mount the volume vol, if it has options; fill it from /v, if it was never used",
        "write the container",
    ]
    steps += [
        'mount a of volume "vol"',
        f"mount an overlay of {folder}",
        "with all that is in it to the container's user",
    ]
    for step in [*steps, "build config.json", "/bundle/config.json"]:
        assert step in shown, shown
    assert not (podpy.graphroot / "volumes/vol").exists()


def test_a_new_volume_belongs_to_the_containers_user_where_the_image_has_nothing(run: Run) -> None:
    for number, option in enumerate(
        ["-v=%s:/new", "--mount=type=volume,src=%s,dst=/new", "-v=/new", "--mount=type=volume,dst=/new"]
    ):
        named = option % f"vol{number}" if "%s" in option else option
        assert run("touch /new/x; stat -c %u:%g /new /new/x", named, "-u", "99:98").ok().split() == [
            "99:98",
            "99:98",
        ], named


def test_a_volume_of_the_image_belongs_to_the_containers_user(
    podpy: Podpy, busybox_image: images.Image, session_base: Path
) -> None:
    settings = {**busybox_image.settings, "Volumes": {"/fresh": {}, "/owned": {}}, "User": "99:98"}
    layer = images.Layer().add("owned", uid=7, gid=8, mode=0o750)
    image = images.Image([*busybox_image.layers, layer.tar()], settings)
    podpy.ok("load", "-i", str(image.write_docker_archive(session_base / "volumes.tar", "localhost/volumes:latest")))
    shown = podpy.ok("run", "--rm", "--network=none", "localhost/volumes", "stat", "-c", "%u:%g %a", "/fresh", "/owned")
    assert shown.splitlines() == ["99:98 755", "7:8 750"]


def test_an_empty_volume_follows_its_user_and_a_filled_one_does_not(run: Run) -> None:
    stat = "stat -c %u:%g /v"
    assert [run(stat, "-v=vol:/v", "-u", user).ok() for user in ("0:0", "99:98", "7:8")] == ["0:0", "99:98", "7:8"]
    run("touch /v/x", "-v=vol:/v", "-u", "7:8").ok()
    assert run(stat, "-v=vol:/v", "-u", "99:98").ok() == "7:8"


def test_a_new_volume_with_a_user_namespace_belongs_to_the_containers_user(run: Run) -> None:
    for userns in ("keep-id", "auto", "nomap"):
        options = [f"-v=vol-{userns}:/new", f"--userns={userns}", "-u", "99:98"]
        assert run("touch /new/x; stat -c %u:%g /new", *options).ok() == "99:98", userns


@pytest.mark.parametrize("options", [[], ["--read-only"], ["--userns=keep-id"], ["--privileged"]])
def test_mtab_leads_to_the_kernels_list(run: Run, options: list[str]) -> None:
    assert run("readlink /etc/mtab; grep -c ' / ' /etc/mtab", *options).ok().split() == ["/proc/mounts", "1"]


@pytest.fixture
def build(podpy: Podpy, busybox_image: images.Image, session_base: Path) -> Callable[[str, images.Layer], str]:
    """Return a function that loads busybox with one more layer and returns the image's name."""

    def call(name: str, layer: images.Layer) -> str:
        image = images.Image([*busybox_image.layers, layer.tar()], busybox_image.settings)
        full = f"localhost/{name}:latest"
        podpy.ok("load", "-i", str(image.write_docker_archive(session_base / f"{name}.tar", full)))
        return full

    return call


def test_mtab_is_made_where_a_link_for_etc_leads(run: Run, build: Callable[[str, images.Layer], str]) -> None:
    image = build("linked-etc", images.Layer().add("conf").symlink("etc", "/conf"))
    assert run("readlink /conf/mtab", image=image).ok() == "/proc/mounts"


def test_an_mtab_of_the_image_or_the_user_stays(
    run: Run, build: Callable[[str, images.Layer], str], folder: Path
) -> None:
    image = build("own-mtab", images.Layer().add("etc/mtab", b"own"))
    assert run("cat /etc/mtab", image=image).ok() == "own"
    run("true", "-v", f"{folder}:/etc").ok()
    assert not os.path.lexists(folder / "mtab")
    assert run("cat /etc/mtab", "-v", f"{folder}/file:/etc/mtab").ok() == "host"


def test_nothing_is_written_into_a_directory_of_the_users_at_run(run: Run, folder: Path) -> None:
    assert run("ls -A /run", "-v", f"{folder}:/run").ok().split() == ["file"]
    assert os.listdir(folder) == ["file"]
    assert run("ls -A /run").ok().split() == [".containerenv"]


@pytest.mark.parametrize("userns", ["keep-id", "auto", "nomap"])
def test_podpys_own_files_belong_to_the_containers_root(podpy: Podpy, busybox: str, userns: str) -> None:
    paths = ("/etc/hosts", "/etc/resolv.conf", "/etc/hostname", "/run/.containerenv")
    options = ("--rm", "--network=host", f"--userns={userns}")
    assert podpy.ok("run", *options, busybox, "stat", "-c", "%u:%g", *paths).split() == ["0:0"] * 4


def test_a_ramfs_is_one(run: Run) -> None:
    assert "ramfs" in run("grep ' /r ' /proc/mounts", "--mount=type=ramfs,dst=/r,tmpfs-mode=0700").ok()
    run("true", "--mount=type=ramfs,dst=/r,tmpcopyup").fails(125, "tmpcopyup of /r")


def test_an_overlay_keeps_what_is_written_where_the_user_says(run: Run, podpy: Podpy, folder: Path) -> None:
    podpy.run(["mkdir", f"{podpy.home}/upper", f"{podpy.home}/work"]).ok()
    option = f"{folder}:/d:O,upperdir={podpy.home}/upper,workdir={podpy.home}/work"
    run("echo inside > /d/new", "-v", option).ok()
    assert run("cat /d/new", "-v", option).ok() == "inside" and os.listdir(folder) == ["file"]
    assert (podpy.home / "upper/new").read_text() == "inside\n"
