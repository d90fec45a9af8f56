"""`podpy cp`: files into containers, out of them, and between two."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from tests.support.engine import Podpy

LIBRARY = [sys.executable]
SETUP = (
    "mkdir -p /w/d/sub /to; cd /w; echo f > f; echo c > d/c; echo s > d/sub/s; ln -s c d/lc; ln -s f l; ln -s d dl;"
    " ln -s nowhere dang; ln -s /w/d abs; mkfifo pipe; chown 7:8 d/c; chmod 4750 d/c"
)


@pytest.fixture
def running(podpy: Podpy, busybox: str) -> Podpy:
    """A container `c` that runs, with files in /w."""
    podpy.ok("run", "-d", "--name", "c", "-v", "vol:/vol", "--tmpfs", "/tm", "-w", "/usr", busybox, "sleep", "1000")
    podpy.ok("exec", "c", "sh", "-c", SETUP)
    return podpy


@pytest.fixture
def here(running: Podpy) -> Path:
    """The caller's directory, with files of its own."""
    home = running.home / "here"
    for name in ("d/sub", "to"):
        (home / name).mkdir(parents=True)
    (home / "f").write_text("host f\n")
    (home / "d/c").write_text("host c\n")
    os.chmod(home / "d/c", 0o640)
    (home / "d/lc").symlink_to("c")
    (home / "l").symlink_to("f")
    (home / "dl").symlink_to("d")
    (home / "dang").symlink_to("nowhere")
    if os.geteuid() == 0:
        for path in [home, *home.rglob("*")]:
            os.chown(path, running.user.uid, running.user.gid, follow_symlinks=False)
    return home


def names(top: Path) -> list[str]:
    return sorted(str(path.relative_to(top)) for path in top.rglob("*"))


def inside(podpy: Podpy, command: str) -> list[str]:
    return podpy.ok("exec", "-w", "/", "c", "sh", "-c", command).splitlines()


def test_files_and_directories_go_in_by_podmans_rules(running: Podpy, here: Path) -> None:
    def cp(*args: str) -> None:
        running.ok("cp", *args, cwd=here)

    cp("f", "c:/to")
    cp("f", "c:/to/new")
    cp("f", "c:../w/f")  # over what is there; relative to the working directory
    cp("l", "c:/to")  # a link on the command line is followed, and keeps its name
    cp("d", "c:/to")
    cp("d/", "c:/to/e")  # isn't there: it becomes that
    cp("d/.", "c:/to/g")
    cp("d/.", "c:/w/dl")  # a link to a directory is one
    cp("dl", "c:/to")
    cp(".", "c:/to/all")
    shown = inside(running, "cd /to; find . | sort")
    wanted = [".", "./all", "./all/d", "./d", "./d/c", "./d/lc", "./d/sub", "./dl", "./dl/c", "./e", "./e/c", "./e/lc",
              "./e/sub", "./f", "./g", "./g/c", "./l", "./new"]  # fmt: skip
    assert set(wanted) <= set(shown)
    assert inside(running, "cat /w/f /w/d/c /to/l") == ["host f", "host c", "host f"]
    assert inside(running, "readlink /to/d/lc; readlink /w/dl") == ["c", "d"]
    assert inside(running, "stat -c %u:%g:%a /to/f /to/d/c /to/d/lc") == ["0:0:644", "0:0:640", "0:0:777"]


def test_files_and_directories_come_out(running: Podpy, here: Path) -> None:
    to = here / "to"
    for source, target in (("c:/w/f", "to"), ("c:../w/f", "to/new"), ("c:/w/l", "to/l2"), ("c:/w/d", "to"),
                           ("c:../w/d/.", "to/g"), ("c:/w/dl", "to/dl"), ("c:/w/d/", "to/e"),
                           ("c:/w/pipe", "to/pipe")):  # fmt: skip
        running.ok("cp", source, target, cwd=here)
    assert (to / "f").read_text() == (to / "new").read_text() == (to / "l2").read_text() == "f\n"
    assert names(to / "d") == names(to / "g") == names(to / "dl") == names(to / "e") == ["c", "lc", "sub", "sub/s"]
    status = (to / "d/c").stat()
    assert (status.st_uid, status.st_gid, status.st_mode & 0o7777) == (running.user.uid, running.user.gid, 0o4750)
    assert (to / "pipe").is_fifo()
    running.ok("cp", "c:/w/l", str(to), cwd=here)  # in a container a link is what it leads to
    assert not (to / "l").exists()
    running.ok("cp", "c:/", "to/root", cwd=here)
    assert {"w", "bin", "etc", "vol"} <= set(os.listdir(to / "root"))
    assert not {"proc", "sys", "dev"} & set(os.listdir(to / "root"))


def test_mounts_of_a_running_container_are_seen(running: Podpy, here: Path) -> None:
    for place in ("/vol", "/tm"):
        running.ok("cp", "f", f"c:{place}/x", cwd=here)
        assert inside(running, f"cat {place}/x") == ["host f"]
        running.ok("cp", f"c:{place}/x", "to/x", cwd=here)
        assert (here / "to/x").read_text() == "host f\n"
    running.ok("cp", "c:/etc/hosts", "to/hosts", cwd=here)
    assert "c" in (here / "to/hosts").read_text()
    (here / "hosts").write_text("127.0.0.1 changed\n")
    running.ok("cp", "hosts", "c:/etc/hosts", cwd=here)  # something is mounted there: it is written into
    assert inside(running, "cat /etc/hosts") == ["127.0.0.1 changed"]
    assert not [name for name in inside(running, "ls -A /etc") if name.startswith(".podpy")]


def test_a_stopped_container_and_its_volume(running: Podpy, here: Path) -> None:
    running.ok("stop", "-t", "0", "c")
    running.ok("cp", "f", "c:/vol/x", cwd=here)
    running.ok("cp", "d", "c:/to/", cwd=here)
    running.ok("cp", "c:/w/d/c", "to/c", cwd=here)
    running.ok("cp", "c:/vol/x", "to/x", cwd=here)
    assert (here / "to/x").read_text() == "host f\n"
    running("cp", "c:/tm/x", "to", cwd=here).fails(125, '"/tm/x" could not be found on container c: no such file')
    running.ok("start", "c")
    assert inside(running, "cat /vol/x /to/d/c; ls /tm") == ["host f", "host c"]
    running.ok("create", "--name", "never", "-v", "fresh:/etc", "localhost/busybox", "cat", "/etc/f", "/etc/passwd")
    running.ok("cp", "f", "never:/etc/", cwd=here)  # the volume is filled from the image first
    assert running.ok("start", "-a", "never").startswith("host f\nroot:")
    assert not list((running.graphroot / "tmp").glob("*-*"))


def test_between_containers_and_within_one(running: Podpy, here: Path) -> None:
    running.ok("create", "--name", "other", "localhost/busybox", "cat", "/to/c", "/x")
    running.ok("cp", "c:/w/d/.", "other:/to")
    running.ok("cp", "c:/w/f", "other:/x")
    running.ok("cp", "c:/w/d", "c:/to/copy")
    assert inside(running, "cat /to/copy/c /to/copy/sub/s") == ["c", "s"]
    assert running.ok("start", "-a", "other") == "c\nf"
    running.ok("create", "--name", "third", "localhost/busybox", "cat", "/x")
    running.ok("cp", "other:/x", "third:/x")
    assert running.ok("start", "-a", "third") == "f"
    running("cp", "c:/w", "c:/w/d").fails(125, 'cannot copy a directory, "/w", into itself, "/w/d"')


def test_archives_by_standard_streams(running: Podpy, here: Path) -> None:
    def listed(*args: str) -> list[str]:
        with running.popen("cp", *args, "-", stdout=subprocess.PIPE) as copying:
            data = copying.communicate()[0]
        assert copying.returncode == 0
        with tarfile.open(fileobj=io.BytesIO(data)) as tar:
            return tar.getnames()

    assert listed("c:/w/d") == ["d", "d/c", "d/lc", "d/sub", "d/sub/s"]
    assert listed("c:/w/d/.") == ["c", "lc", "sub", "sub/s"]
    assert (listed("c:/w/f"), listed("c:/w/l")) == (["f"], ["f"])
    packed = subprocess.run(["tar", "-C", here, "-czf-", "d", "f"], check=True, capture_output=True).stdout
    running.ok("cp", "-", "c:/to", input=packed)
    assert inside(running, "cat /to/d/c /to/f; stat -c %u /to/f") == ["host c", "host f", "0"]
    running("cp", "-", "c:/w/f", input=packed).fails(125, "destination must be a directory when copying from stdin")
    running("cp", "-", "c:/w/new", input=packed).fails(125, "destination must be a directory when copying from stdin")
    for data in (b"no archive", b"x" * 2000, b""):
        text = "source must be a (compressed) tar archive when copying from stdin"
        running("cp", "-", "c:/to", input=data).fails(125, text)
    running("cp", "-", "c:/to", input=packed[:-20]).fails(125)


REFUSED = [
    ("f", "c:/w/missing/", '"/w/missing/" could not be found on container c: no such file or directory'),
    ("f", "c:/w/no/such", '"/w/no/such" could not be found on container c: no such file or directory'),
    ("f", "c:/w/f/", "exists but is not a directory"),
    ("f", "c:/w/f/x", '"/w/f/x" could not be found on container c: no such file or directory'),
    ("d", "c:/w/f", "destination must be a directory when copying a directory"),
    ("dang", "c:/w", '"dang" could not be found on the host: no such file or directory'),
    ("nosuch", "c:/w", '"nosuch" could not be found on the host: no such file or directory'),
    ("/dev/null", "c:/w", '"/dev/null": a device node can\'t be copied'),
    ("f", "c:/dev/null", 'invalid destination: "/dev/null" must be a directory or a regular file'),
    ("c:/w/dang", "to", '"/w/dang" could not be found on container c: no such file or directory'),
    ("c:/proc/version", "to", "copying from container: copier: get: copied no items: no such file or directory"),
    ("c:/w/f", "no/such", '"no/such" could not be found on the host: no such file or directory'),
    ("c:/w/f", "missing/", '"missing/" could not be found on the host: no such file or directory'),
    ("c:/w/d", "f", "destination must be a directory when copying a directory"),
    ("c:/w/f", "/dev/null", 'invalid destination: "/dev/null" must be a directory or a regular file'),
    ("f", "nosuch:/w", 'container "nosuch" does not exist'),
    ("f", "c:", 'invalid arguments "f", "c:": you must specify paths'),
    ("f", "d", "name or ID cannot be empty"),
]
"""What is copied where, and Podman's words, or ours."""


def test_what_cant_be_copied_says_why(running: Podpy, here: Path) -> None:
    for source, target, text in REFUSED:
        running("cp", source, target, cwd=here).fails(125, text)
    assert inside(running, "cat /w/f") == ["f"]


def test_a_dangling_link_names_what_is_made(running: Podpy, here: Path) -> None:
    running.ok("cp", "f", "c:/w/dang", cwd=here)
    assert inside(running, "cat /w/nowhere; readlink /w/dang") == ["host f", "nowhere"]


def test_directories_and_files_take_each_others_place_only_if_asked(running: Podpy, here: Path) -> None:
    inside(running, "mkdir /to/f; echo x > /to/f/x; echo y > /to/d")
    running("cp", "f", "c:/to", cwd=here).fails(125, "copying to container: f: a directory is there: File exists")
    running("cp", "d", "c:/to", cwd=here).fails(125, "copying to container: d/: it is no directory there: File exists")
    running.ok("cp", "--overwrite", "f", "c:/to", cwd=here)
    running.ok("cp", "--overwrite", "d", "c:/to", cwd=here)
    assert inside(running, "cat /to/f /to/d/c") == ["host f", "host c"]


def test_owners(running: Podpy, here: Path) -> None:
    conf = here / "containers.conf"
    conf.write_text("[engine]\nchown_copied_files = false\n")
    running.ok("run", "-d", "--name", "u", "--user", "5:6", "localhost/busybox", "sleep", "1000")
    running.ok("run", "-d", "--name", "k", "--userns", "keep-id", "localhost/busybox", "sleep", "1000")
    for container, owner in (("u", "5:6"), ("k", f"{running.user.uid}:{running.user.gid}")):
        running.ok("cp", "f", f"{container}:/tmp/f", cwd=here)
        assert running.ok("exec", container, "stat", "-c", "%u:%g", "/tmp/f") == owner
        running.ok("cp", "c:/w/d", f"{container}:/tmp/d")
        assert running.ok("exec", container, "stat", "-c", "%u:%g", "/tmp/d/c") == owner
        running.ok("cp", "-a=false", "c:/w/d", f"{container}:/tmp/e")
        assert running.ok("exec", container, "stat", "-c", "%u:%g", "/tmp/e/c") == "7:8"
        running.ok("cp", "c:/w/d", f"{container}:/tmp/g", env={"CONTAINERS_CONF": str(conf)})
        assert running.ok("exec", container, "stat", "-c", "%u:%g", "/tmp/g/c") == "7:8"
        running.ok("cp", f"{container}:/tmp/e/c", "to/c", cwd=here)
        assert (here / "to/c").stat().st_uid == running.user.uid


def test_links_in_a_container_never_lead_out_of_it(running: Podpy, here: Path) -> None:
    (here / "to/secret").write_text("secret")
    inside(
        running,
        f"ln -s {here}/to /w/out; ln -s /../../../{here}/to/secret /w/file; mkdir -p {here}/to; echo i > {here}/to/f",
    )
    running("cp", "c:/w/file", "to/stolen", cwd=here).fails(125, "no such file or directory")
    running.ok("cp", "f", "c:/w/out/written", cwd=here)
    assert not (here / "to/written").exists()
    assert inside(running, f"cat {here}/to/written") == ["host f"]
    inside(running, "mkdir /evil; ln -s /etc /evil/d; ")
    running.ok("cp", "c:/evil/.", "to", cwd=here)
    assert (here / "to/d").is_symlink()
    running("cp", "c:/w/d", "to", cwd=here).fails(125, "File exists")  # through the link, /etc would be written to


def test_a_full_disk_names_the_file_and_keeps_the_old_one(running: Podpy, here: Path) -> None:
    running.ok("run", "-d", "--name", "small", "--tmpfs", "/s:size=1m", "localhost/busybox", "sleep", "1000")
    running.ok("exec", "small", "sh", "-c", "echo old > /s/large")
    (here / "large").write_bytes(os.urandom(3 << 20))
    running("cp", "large", "small:/s", cwd=here).fails(125, "copying to container: large: writing it: No space left")
    assert running.ok("exec", "small", "sh", "-c", "cat /s/large; ls -A /s") == "old\nlarge"


def test_the_library_copies_with_streams_given(running: Podpy, here: Path) -> None:
    script = (
        "import os, sys; from podpy import Runtime\n"
        "with Runtime() as r:\n"
        "    r.containers.copy_in('c', 'f', '/to/lib')\n"
        "    r.containers.copy_out('c', '/to/lib', 'to/lib')\n"
        "    reading, writing = os.pipe()\n"
        "    r.containers.copy_out('c', '/to/lib', writing)\n"
        "    print(len(os.read(reading, 1 << 20)))\n"
        "    print(r.containers.commit('c', 'made').names)\n"
        "    r.containers.export('c', 'c.tar')\n"
    )
    done = running.run([*LIBRARY, "-c", script], cwd=here, env={"PYTHONPATH": str(running.launcher.parents[2])})
    assert done.ok().splitlines() == ["3072", "['localhost/made:latest']"]
    assert (here / "to/lib").read_text() == "host f\n"
    assert (here / "c.tar").stat().st_size > 100_000
