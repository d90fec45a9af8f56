"""Mounts below volumes and host directories: links that somebody put there lead no mount elsewhere."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support import needs, wait
from tests.support.engine import Podpy, shared_directory

QUICK = ("run", "--rm", "--network=none")
RUNTIMES = pytest.mark.parametrize("runtime", ["crun", "runc"])


@pytest.fixture
def folder(podpy: Podpy) -> Path:
    """A directory on the host, of podpy's user."""
    return shared_directory(podpy)


@RUNTIMES
def test_a_link_that_another_container_made_is_refused_with_its_place(
    podpy: Podpy, busybox: str, folder: Path, runtime: str
) -> None:
    podpy.ok(*QUICK, "-v=v:/v", busybox, "sh", "-c", "ln -s /etc /v/link; ln -s ../../etc /v/up; ln -s /bin /v/bin")
    script = "cat /etc/passwd /bin/busybox > /dev/null && ls -A /v/up /v/link"
    for options in (["--tmpfs=/v/link/new"], [f"-v={folder}:/v/up/new"], ["--tmpfs=/v/bin"], ["-v=w:/v/up"]):
        result = podpy("--runtime", runtime, *QUICK, "-v=v:/v", *options, busybox, "sh", "-c", script)
        result.fails(125, "can't be mounted below /v: /v/", "is a symbolic link, or no directory", "Hint: No link is")
    listed = podpy.ok(*QUICK, "-v=v:/v", busybox, "sh", "-c", "ls /etc | sort; ls -l /v | wc -l").split()
    assert "new" not in listed and listed[-1] == "4", "the volume and the image are as they were"
    podpy.ok(*QUICK, "-v=v:/v", busybox, "touch", "/v/file")
    refused = podpy(*QUICK, "-v=v:/v", "--tmpfs=/v/file/new", busybox, "true")
    refused.fails(125, "/v/file is a symbolic link, or no directory")


@RUNTIMES
def test_files_of_podpys_own_lie_over_links_in_a_volume_not_where_these_lead(
    podpy: Podpy, busybox: str, folder: Path, runtime: str
) -> None:
    """A volume at /etc, as an image's often is, with links for the files that every container gets."""
    links = "cd /e; touch passwd; ln -s /etc/passwd hosts; ln -s ../bin/busybox hostname; ln -s /no/such resolv.conf"
    podpy.ok(*QUICK, "-v=e:/e", busybox, "sh", "-c", links)
    (folder / "key").write_text("key")
    script = "cat /etc/hostname /etc/hosts /etc/mine; echo; cat /etc/passwd; ls /no"
    options = ["--hostname=named", "-v=e:/etc", f"-v={folder}/key:/etc/mine:ro"]
    result = podpy("--runtime", runtime, *QUICK, *options, busybox, "sh", "-c", script)
    lines = result.stdout.split()
    assert lines[0] == "named" and "127.0.0.1" in lines and lines[-1] == "key", result.describe()
    assert "No such file" in result.stderr


def test_a_link_of_the_image_that_a_tmpfs_hides_leads_nowhere(podpy: Podpy, busybox: str) -> None:
    podpy.ok("run", "--name=made", "--network=none", busybox, "sh", "-c", "mkdir /data; ln -s /e /data/link; mkdir /e")
    podpy.ok("commit", "-q", "made", "linked")
    places = ["-v=e:/e", "--mount=type=tmpfs,dst=/data,notmpcopyup", "-v=v:/data/link/sub"]
    script = "touch /data/link/sub/file; ls -A /e; ls -ld /data/link"
    assert podpy.ok(*QUICK, *places, "linked", "sh", "-c", script).startswith("drwx")
    assert podpy.ok(*QUICK, "-v=v:/v", busybox, "ls", "/v") == "file"


@RUNTIMES
@pytest.mark.parametrize("userns", ["", "keep-id", "auto"])
def test_mounts_below_mounts_are_where_they_belong(
    podpy: Podpy, busybox: str, folder: Path, runtime: str, userns: str
) -> None:
    os.chmod(folder, 0o755)
    script = """
    stat -c '%a %n' /d/sub/mem; df -k /d/sub/mem | tail -1 | awk '{print $2}'
    touch /d/x 2> /dev/null || echo /d is read-only; touch /d/sub/mem/x && echo /d/sub/mem isnt
    touch /d/closed/x 2> /dev/null || echo closed is; touch /d/closed/vol/x && echo vol isnt
    touch /new 2> /dev/null || echo root is; cat /d/file"""
    (folder / "host").write_text("host\n")
    options = [f"-v={folder}:/d:ro", "--tmpfs=/d/sub/mem:size=1m,mode=1770", "--tmpfs=/d/closed:ro", "--read-only"]
    options += ["-v=v:/d/closed/vol:U", f"-v={folder}/host:/d/file", *([f"--userns={userns}"] if userns else [])]
    result = podpy("--runtime", runtime, *QUICK, *options, "-u=0", busybox, "sh", "-c", script)
    assert result.stdout.splitlines() == [
        "1770 /d/sub/mem", "1024", "/d is read-only", "/d/sub/mem isnt", "closed is", "vol isnt", "root is", "host",
    ], result.describe()  # fmt: skip
    assert sorted(os.listdir(folder)) == ["closed", "file", "host", "sub"] and not os.listdir(folder / "closed")
    assert (folder / "file").read_bytes() == b"", "only the places are there"
    assert os.listdir(podpy.graphroot / "volumes/v/_data") == ["x"]


def test_cp_to_a_stopped_container_follows_no_link_in_a_volume_either(podpy: Podpy, busybox: str, folder: Path) -> None:
    podpy.ok(*QUICK, "-v=v:/v", busybox, "ln", "-s", "/etc", "/v/link")
    podpy.run(["sh", "-c", f"echo copied > {folder}/file"]).ok()
    podpy.ok("create", "--name=bad", "--network=none", "-v=v:/v", "-v=w:/v/link", busybox, "true")
    podpy("cp", f"{folder}/file", "bad:/v/link/").fails(125, "/v/link can't be mounted below /v: /v/link is a symbolic")
    podpy.ok("create", "--name=good", "--network=none", "-v=v:/v", "-v=w:/v/a/b", busybox, "true")
    podpy.ok("cp", f"{folder}/file", "good:/v/a/b/")
    assert os.listdir(podpy.graphroot / "volumes/w/_data") == ["file"]
    podpy.ok("create", "--name=closed", "--network=none", "-v=v:/v:ro", "-v=x:/v/new", busybox, "true")
    podpy.ok("cp", f"{folder}/file", "closed:/v/new/")
    podpy("cp", f"{folder}/file", "closed:/v/").fails(125, "Read-only file system")
    assert os.listdir(podpy.graphroot / "volumes/x/_data") == ["file"]
    assert sorted(os.listdir(podpy.graphroot / "volumes/v/_data")) == ["a", "link", "new"]


def test_they_are_there_for_cp_exec_and_every_start_and_go_with_the_container(
    podpy: Podpy, busybox: str, folder: Path
) -> None:
    podpy.ok("create", "--name=c", "--network=none", f"-v={folder}:/d", "--tmpfs=/d/mem", busybox, "sleep", "1000")
    podpy.ok("init", "c")
    podpy.ok("start", "c")
    podpy.run(["sh", "-c", f"echo copied > {podpy.home}/file"]).ok()
    podpy.ok("cp", str(podpy.home / "file"), "c:/d/mem/")
    assert podpy.ok("exec", "c", "cat", "/d/mem/file") == "copied"
    podpy.ok("restart", "-t0", "c")
    assert podpy.ok("exec", "c", "ls", "-A", "/d/mem") == ""
    podpy.ok("rm", "-ft0", "c")
    assert os.listdir(folder) == ["mem"] and os.listdir(folder / "mem") == []


def test_a_restart_by_the_monitor_makes_them_again(podpy: Podpy, busybox: str, folder: Path) -> None:
    script = "echo start $(ls -A /d/mem) >> /d/log; touch /d/mem/old; exit 3"
    options = ("--network=none", "--restart=on-failure:1", f"-v={folder}:/d", "--tmpfs=/d/mem")
    podpy.ok("run", "-d", "--name=c", *options, busybox, "sh", "-c", script)
    log = folder / "log"
    wait.until(lambda: log.exists() and log.read_text().count("\n") == 2, what="the container has been restarted")
    assert log.read_text() == "start\nstart\n"
    podpy.ok("rm", "-ft0", "c")


@pytest.mark.parametrize("userns", ["", "keep-id"])
def test_a_start_that_fails_or_is_killed_leaves_what_is_mounted_alone(
    podpy: Podpy, busybox: str, folder: Path, userns: str
) -> None:
    podpy.run(["sh", "-c", f"mkdir {folder}/sub && echo kept > {folder}/sub/file"]).ok()
    options = ["--network=none", f"-v={folder}:/d", "--tmpfs=/d/mem", "-v=v:/d/vol", "-v=/dev:/d/dev"]
    options += [f"--userns={userns}"] if userns else []
    podpy.ok(*QUICK, "-v=v:/v", busybox, "touch", "/v/file")
    podpy("run", "--rm", *options, busybox, "/no/such/command").fails(127)
    killed = podpy("run", "--name=c", *options, busybox, "true", env={"PODPY_CRASH_AT": "MountNested:after"})
    assert killed.returncode == -9
    podpy.ok("rm", "-f", "c")
    assert (folder / "sub/file").read_text() == "kept\n"
    assert os.listdir(podpy.graphroot / "volumes/v/_data") == ["file"]
    assert os.listdir(podpy.runroot / "containers") == []


@pytest.mark.parametrize("userns", ["", "keep-id"])
def test_mounts_that_were_made_in_turn_in_several_go_at_the_end(
    podpy: Podpy, busybox: str, folder: Path, userns: str
) -> None:
    """The kernel lists them in the order in which they were made: another one's lies between two of one's own."""
    options = [f"-v={folder}:/a", "-v=v:/b", "--tmpfs=/a/m", "--tmpfs=/b/m", "--tmpfs=/a/n"]
    options += [f"--userns={userns}"] if userns else []
    podpy.ok(*QUICK, *options, busybox, "sh", "-c", "touch /a/m/x /b/m/x /a/n/x")
    podpy(*QUICK, *options, busybox, "/no/such/command").fails(127)
    assert podpy.ok("ps", "-aq") == "" and os.listdir(podpy.runroot / "containers") == []
    assert sorted(os.listdir(folder)) == ["m", "n"] and not os.listdir(folder / "n")


@pytest.mark.parametrize("userns", ["", "keep-id"])
def test_nothing_can_be_mounted_below_a_file(podpy: Podpy, busybox: str, folder: Path, userns: str) -> None:
    (folder / "f").touch()
    words = [f"-v={folder}/f:/f", "--tmpfs=/f/m", *([f"--userns={userns}"] if userns else [])]
    podpy(*QUICK, *words, busybox, "true").fails(125, "/f/m can't be mounted below /f: that is no directory")
    words[:2] = [f"-v={folder}:/d", f"-v={folder}/f:/d/f", "--tmpfs=/d/f/m"]
    podpy(*QUICK, *words, busybox, "true").fails(125, "/d/f/m can't be mounted below /d/f: that is no directory")


def test_a_link_of_another_user_of_the_host_is_refused_too(podpy: Podpy, busybox: str, folder: Path) -> None:
    """In podpy's user namespace another user's directory looks like root's."""
    needs.require("root")
    others = folder / "others"
    others.mkdir()
    (others / "link").symlink_to("/etc")
    others.chmod(0o755)
    os.chown(others, 54321, 54321)
    refused = podpy(*QUICK, f"-v={others}:/d", "--tmpfs=/d/link", busybox, "cat", "/etc/passwd")
    refused.fails(125, "/d/link can't be mounted below /d: /d/link is a symbolic link")
    podpy.ok(*QUICK, "-v=/etc:/etc", busybox, "grep", "localhost", "/etc/hosts")


def test_what_the_kernel_shows_isnt_mounted_into_a_volume(podpy: Podpy, busybox: str) -> None:
    """Only the OCI runtime can mount a cgroup file system, and it would look its place up by name."""
    podpy(*QUICK, "-v=v:/sys", busybox, "true").fails(125, "/sys/fs/cgroup can't be mounted below /sys")
    podpy.ok(*QUICK, "-v=/sys:/sys", "-v=/dev:/dev:rslave", "--mount=type=devpts,dst=/dev/pts", busybox, "true")
