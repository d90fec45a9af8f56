"""`podpy export`: a container's files as a tar."""

from __future__ import annotations

import io
import os
import pty
import subprocess
import tarfile
from pathlib import Path

from tests.support.engine import Podpy
from tests.support.places import remove

MAKE = (
    "echo new > /new; ln /new /zlink; ln -s new /soft; mkdir -p /d; echo x > /d/x; rm /etc/group; echo v > /vol/v;"
    " echo t > /tm/t; chown 7:8 /d/x; chmod 4755 /d/x"
)


def listed(archive: bytes) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        return {member.name: member for member in tar}


def exported(podpy: Podpy, name: str) -> bytes:
    """Return what `podpy export NAME` writes to a pipe."""
    with podpy.popen("export", name, stdout=subprocess.PIPE) as running:
        data = running.communicate()[0]
    assert running.returncode == 0
    return data


def test_a_containers_files_come_out_whether_it_runs_or_not(podpy: Podpy, busybox: str) -> None:
    podpy.ok("run", "-d", "--name", "c", "-v", "vol:/vol", "--tmpfs", "/tm", busybox, "sleep", "1000")
    podpy.ok("exec", "c", "sh", "-c", MAKE)
    data = exported(podpy, "c")
    found = listed(data)
    assert list(found) == sorted(found, key=lambda name: [part.encode() for part in name.split("/")])
    assert (found["zlink"].linkname, found["soft"].linkname) == ("new", "new")
    assert (found["d/x"].uid, found["d/x"].gid, found["d/x"].mode) == (7, 8, 0o4755)
    assert "etc/group" not in found
    assert not [name for name in found if name.startswith(("vol/", "tm/", "proc/", "dev/", "sys/"))]
    assert {"vol", "tm", "proc", "dev", "sys"} < set(found)
    podpy.ok("stop", "-t", "0", "c")
    podpy.ok("export", "-o", "c.tar", "c")
    assert (podpy.home / "c.tar").read_bytes() == data
    assert not list((podpy.graphroot / "tmp").glob("*-*"))
    assert podpy.ok("start", "c") == "c"
    podpy.ok("rm", "-f", "c")


def test_a_closed_output_is_told_before_anything_is_lost(podpy: Podpy, busybox: str) -> None:
    podpy.ok("create", "--name", "c", "--network=none", busybox, "true")
    podpy.ok("volume", "create", "v")
    for words in (["export", "c"], ["cp", "c:/etc", "-"], ["save", busybox], ["volume", "export", "v"]):
        command = subprocess.list2cmdline(podpy.command(*words))
        done = podpy.run(["sh", "-c", f"{command} >&-"])
        assert (done.returncode, done.stderr) == (125, "Error: standard output is closed: bad file descriptor\n")


def test_a_container_that_never_ran_and_one_with_its_own_ids(podpy: Podpy, busybox: str) -> None:
    podpy.ok("create", "--name", "never", busybox, "true")
    assert listed(exported(podpy, "never"))["etc/passwd"].uid == 0
    podpy.ok("run", "--name", "shifted", "--userns", "keep-id", "--user", "root", busybox, "sh", "-c", MAKE)
    found = listed(exported(podpy, "shifted"))
    assert (found["d/x"].uid, found["d/x"].gid) == (7, 8)
    assert (found["etc/passwd"].uid, found["new"].uid) == (0, 0)
    podpy.ok("start", "--attach", "shifted")


def test_an_export_comes_in_again(podpy: Podpy, busybox: str) -> None:
    podpy.ok("run", "--name", "c", busybox, "sh", "-c", "echo kept > /kept")
    podpy.ok("export", "-o", "c.tar", "c")
    podpy.ok("import", "-q", "c.tar", "localhost/again")
    assert podpy.ok("run", "--rm", "localhost/again", "cat", "/kept") == "kept"


def test_what_is_no_place_for_an_export(podpy: Podpy, busybox: str) -> None:
    podpy.ok("create", "--name", "c", busybox, "true")
    podpy("export", "nosuch").fails(125, 'no container with name or ID "nosuch" found: no such container')
    podpy("export", "-o", "a:b", "c").fails(125, "invalid filename (should not contain ':') \"a:b\"")
    podpy("export", "-o", "nowhere/file", "c").fails(125, "nowhere/file: no such file or directory")
    podpy("export").fails(125)
    ours, theirs = pty.openpty()
    with podpy.popen("export", "c", stdout=theirs, stderr=subprocess.PIPE) as running:
        text = running.communicate()[1]
    os.close(ours)
    os.close(theirs)
    assert text.startswith(b"Error: refusing to export to terminal. Use -o flag or redirect\n")


def test_a_full_disk_leaves_no_half_file(podpy: Podpy, busybox: str) -> None:
    podpy.ok("create", "--name", "c", busybox, "true")
    with podpy.popen("export", "c", stdout=open("/dev/full", "wb"), stderr=subprocess.PIPE) as running:
        assert running.communicate()[1].startswith(b"Error: writing the archive: No space left on device\n")
    small = podpy.home / "small"
    small.mkdir(mode=0o777)
    os.chown(small, podpy.user.uid, podpy.user.gid)
    script = f"mount -t tmpfs -o size=1m tmpfs small && {podpy.launcher} export -o small/c.tar c; echo $?; ls -A small"
    done = podpy("unshare", "sh", "-c", script)
    assert done.stdout == "125\n"
    done.fails(0, "No space left on device")
    remove(small)


def test_a_reader_that_goes_ends_it(podpy: Podpy, busybox: str, tmp_path: Path) -> None:
    podpy.ok("create", "--name", "c", busybox, "true")
    with podpy.popen("export", "c", stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        assert running.stdout is not None
        assert running.stdout.read(512)
        running.stdout.close()
        assert running.wait() == 141
    assert podpy.ok("system", "check") == ""
