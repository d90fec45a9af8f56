"""`podpy volume export` and `volume import`: a volume's files as a tar."""

from __future__ import annotations

import io
import os
import signal
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import wait
from tests.support.engine import Podpy

KILLED = 128 + signal.SIGKILL
Listing = Callable[[str], list[str]]


@pytest.fixture
def tree(podpy: Podpy, busybox: str) -> Listing:
    """Return a function that lists a volume: the type and mode, owner, links and path of each file, sorted."""

    def listed(name: str) -> list[str]:
        script = "cd /v && find . -mindepth 1 -exec stat -c '%A %u:%g %h %n' {} +"
        return sorted(
            podpy.ok("run", "--rm", "--network=none", f"-v={name}:/v", busybox, "sh", "-c", script).split("\n")
        )

    return listed


@pytest.fixture
def data(podpy: Podpy, busybox: str) -> str:
    """A volume with directories, links and owners in it."""
    script = "cd /v && mkdir d && echo 1 > d/f && ln d/f d/h && ln -s f d/l && mkfifo p && chmod 700 d && chown 5:6 d"
    podpy.ok("run", "--rm", "--network=none", "-v=data:/v", busybox, "sh", "-c", script)
    return "data"


def tar_of(*entries: tuple[str, str | None]) -> bytes:
    """Return a tar of files (name, contents); contents None: a directory; "-> x": a link to x."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name, contents in entries:
            info = tarfile.TarInfo(name)
            info.uid, info.gid, info.mode = 9, 9, 0o755 if contents is None else 0o644
            if contents is None:
                info.type = tarfile.DIRTYPE
            elif contents.startswith("-> "):
                info.type, info.linkname = tarfile.SYMTYPE, contents[3:]
            else:
                info.size = len(contents)
            archive.addfile(info, io.BytesIO((contents or "").encode()))
    return file.getvalue()


@pytest.mark.parametrize("compression", ["cat", "gzip", "bzip2", "xz", "zstd"])
def test_what_goes_out_comes_in_again(podpy: Podpy, data: str, tree: Listing, compression: str) -> None:
    podpy.ok("volume", "export", "--output=data.tar", data)
    with tarfile.open(podpy.home / "data.tar") as archive:
        assert archive.getnames() == ["d", "d/f", "d/h", "d/l", "p"]
        assert (archive.getmember("d").uid, archive.getmember("d").uname) == (5, "")
    podpy.ok("volume", "create", "copy")
    own = " ".join(podpy.command())
    podpy.run(["sh", "-c", f"{compression} < data.tar | {own} volume import copy -"]).ok()
    assert tree("copy") == tree(data)
    assert podpy.run(["sh", "-c", f"{own} volume export copy | cmp - data.tar"]).ok() == ""


def test_an_import_replaces_files_and_leaves_the_others(podpy: Podpy, data: str, tree: Listing) -> None:
    before = tree(data)
    podpy.ok("volume", "import", data, "-", input=tar_of(("d/f", "new"), ("new/deep/x", "y"), ("p", None)))
    after = tree(data)
    # d is no entry of the archive: it stays as it is; f and h aren't one file any more; a directory is where p was.
    assert "drwx------ 5:6 2 ./d" in before and "drwx------ 5:6 2 ./d" in after
    assert {"-rw-r--r-- 9:9 1 ./d/f", "-rw-r--r-- 0:0 1 ./d/h", "drwxr-xr-x 9:9 2 ./p"} <= set(after)
    assert {"drwxr-xr-x 0:0 3 ./new", "drwxr-xr-x 0:0 2 ./new/deep"} <= set(after)
    podpy.ok("volume", "import", data, "-", input=tar_of(("./", None), ("d", None), ("new", "a file")))
    again = tree(data)
    assert {"drwxr-xr-x 9:9 2 ./d", "-rw-r--r-- 9:9 1 ./new", "-rw-r--r-- 0:0 1 ./d/h"} <= set(again)
    assert (podpy.graphroot / "volumes/data/_data/new").read_text() == "a file"


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda tar: tar[:700], "the archive is cut off"),
        (lambda tar: b"x" * 2000, "isn't a tar"),
        (lambda tar: b"\x1f\x8b\x08" + tar, "broken gzip data"),
    ],
)
def test_a_broken_archive_changes_nothing(
    podpy: Podpy, data: str, tree: Listing, damage: Callable[[bytes], bytes], told: str
) -> None:
    before = tree(data)
    broken = damage(tar_of(("d/f", "x" * 600), ("other", "y")))
    podpy("volume", "import", data, "-", input=broken).fails(125, f"extracting into volume {data}: ", told)
    assert tree(data) == before and podpy.ok("system", "check") == ""


def test_an_import_that_is_killed_in_its_middle_changes_nothing(podpy: Podpy, data: str, tree: Listing) -> None:
    before = tree(data)
    reading, writing = os.pipe()
    process = podpy.popen("volume", "import", data, "-", stdin=reading)
    os.close(reading)
    os.write(writing, tar_of(("d/f", "new"), ("other", "y"))[:1500])
    staging = podpy.graphroot / "tmp"
    wait.until(lambda: list(staging.glob("*/import-*/d/f")), what="the first file is unpacked")
    process.kill()
    process.wait()
    os.close(writing)
    assert tree(data) == before
    podpy.ok("volume", "import", data, "-", input=tar_of(("x", "")))
    assert list(staging.glob("*/import-*")) == []


def test_an_import_from_a_file_ends_with_ctrl_c_and_changes_nothing(podpy: Podpy, data: str, tree: Listing) -> None:
    before = tree(data)
    header = tarfile.TarInfo("large")
    header.size = 8 << 30
    (podpy.home / "large.tar").write_bytes(header.tobuf())
    os.truncate(podpy.home / "large.tar", 512 + header.size)  # a hole
    podpy.ok("volume", "create", "empty")
    process = podpy.popen("volume", "import", "empty", "large.tar")
    staging = podpy.graphroot / "tmp"
    wait.until(lambda: list(staging.glob("*/import-*/large")), what="the file has begun to come")
    process.send_signal(signal.SIGINT)
    assert process.wait() == 128 + signal.SIGINT
    assert os.listdir(podpy.graphroot / "volumes/empty/_data") == []
    podpy.ok("rm", "--all")
    assert list(staging.glob("*/import-*")) == [] and tree(data) == before


def test_a_file_comes_in_from_where_its_descriptor_is(podpy: Podpy) -> None:
    podpy.ok("volume", "create", "data")
    large = "x" * 300_000
    (podpy.home / "two.tar").write_bytes(b"#" * 512 + tar_of(("a", large), ("b", "small"), ("c", large + "y")))
    own = " ".join(podpy.command())
    podpy.run(["sh", "-c", f"(head -c 512 >/dev/null; {own} volume import data -) < two.tar"]).ok()
    files = podpy.graphroot / "volumes/data/_data"
    assert [(files / name).read_text() for name in "abc"] == [large, "small", large + "y"]
    (podpy.home / "cut.tar").write_bytes(tar_of(("d", large))[:200_000])
    podpy.ok("volume", "create", "other")
    podpy("volume", "import", "other", "cut.tar").fails(
        125, "extracting into volume other: the archive is cut off in d"
    )
    assert os.listdir(podpy.graphroot / "volumes/other/_data") == []


def test_an_import_that_is_killed_after_its_commit_is_finished_by_the_next_use(
    podpy: Podpy, data: str, tree: Listing
) -> None:
    wanted = tar_of(("./", None), ("d/f", "new"), ("e", None), ("e/x", "y"))
    podpy.ok("volume", "create", "other")
    for name in (data, "other"):
        killed = podpy("volume", "import", name, "-", input=wanted, env={"PODPY_CRASH_AT": "volume:imported"})
        assert killed.returncode in (KILLED, -signal.SIGKILL), killed.describe()
    assert {"-rw-r--r-- 9:9 1 ./d/f", "-rw-r--r-- 9:9 1 ./e/x", "drwx------ 5:6 2 ./d"} <= set(tree(data))
    podpy.ok("volume", "export", "-o", "other.tar", "other")
    with tarfile.open(podpy.home / "other.tar") as archive:
        assert archive.getnames() == ["d", "d/f", "e", "e/x"]
    assert os.listdir(podpy.graphroot / "volumes/other") == ["_data"]
    assert (podpy.graphroot / "volumes/other/_data").stat().st_uid not in (0, podpy.user.uid), "it is 9's now"


def test_no_link_in_an_archive_or_a_volume_leads_out(podpy: Podpy, busybox: str, tree: Listing) -> None:
    outside = podpy.home / "outside"
    podpy.run(["mkdir", str(outside)]).ok()
    podpy.ok("volume", "create", "data")
    podpy("volume", "import", "data", "-", input=tar_of(("a", f"-> {outside}"), ("a/x", "1")))
    podpy("volume", "import", "data", "-", input=tar_of(("../x", "1"))).fails(125, "..")
    podpy.ok("run", "--rm", "--network=none", "-v=data:/v", busybox, "ln", "-sfn", str(outside), "/v/b")
    podpy.ok("volume", "import", "data", "-", input=tar_of(("b/x", "1")))
    assert list(outside.iterdir()) == [], "the archive's directory takes the link's place"
    assert (podpy.graphroot / "volumes/data/_data/b/x").read_text() == "1"


def test_mounted_volumes_go_out_and_come_in(podpy: Podpy, busybox: str) -> None:
    folder = podpy.home / "folder"
    podpy.run(["sh", "-c", f"mkdir {folder}; echo 1 > {folder}/x"]).ok()
    podpy.ok("volume", "create", "-o", "type=none", "-o", "o=bind", "-o", f"device={folder}", "bound")
    podpy.ok("volume", "create", "-o", "type=tmpfs", "mem")
    podpy.ok("volume", "import", "bound", "-", input=tar_of(("y", "2")))
    assert sorted(os.listdir(folder)) == ["x", "y"]
    podpy.ok("volume", "export", "bound", "-o", "bound.tar")
    told = "volume mem is a tmpfs that no container has: what is imported would be lost"
    podpy("volume", "import", "mem", "bound.tar").fails(125, told)
    podpy.ok("run", "-d", "--name=holder", "--network=none", "-v=mem:/m", busybox, "sleep", "1000")
    podpy.ok("volume", "import", "mem", "bound.tar")
    assert podpy.ok("exec", "holder", "ls", "/m").split() == ["x", "y"]


def test_what_is_mounted_in_a_volume_is_no_place_for_an_import(podpy: Podpy) -> None:
    podpy.ok("volume", "create", "data")
    podpy.ok("volume", "import", "data", "-", input=tar_of(("sub", None), ("sub/f", "below"), ("g", "before")))
    place = podpy.graphroot / "volumes/data"
    (podpy.home / "new.tar").write_bytes(tar_of(("g", "after"), ("sub/f", "new")))
    (podpy.home / "other.tar").write_bytes(tar_of(("g", "after")))
    own = " ".join(podpy.command())
    script = f"""mount -t tmpfs mem {place}/_data/sub && echo mounted > {place}/_data/sub/f
        {own} volume import data new.tar; echo $?; cat {place}/_data/sub/f {place}/_data/g; echo
        {own} volume import data other.tar; echo $?; cat {place}/_data/sub/f {place}/_data/g
        umount {place}/_data/sub"""
    done = podpy("unshare", "sh", "-c", script)
    assert done.stdout == "125\nmounted\nbefore\n0\nmounted\nafter"
    assert "Error: extracting into volume data: sub: something is mounted there, in the volume" in done.stderr
    assert os.listdir(place) == ["_data"]
    podpy.ok("volume", "import", "data", "new.tar")
    assert (place / "_data/sub/f").read_text() == "new"


def test_an_archive_ends_where_it_says_so(podpy: Podpy) -> None:
    podpy.ok("volume", "create", "data")
    podpy.ok("volume", "import", "data", "/dev/zero")
    own = " ".join(podpy.command())
    (podpy.home / "x.tar").write_bytes(tar_of(("x", "1")))
    podpy.run(["sh", "-c", f"cat x.tar /dev/zero | {own} volume import data -"]).ok()
    assert (podpy.graphroot / "volumes/data/_data/x").read_text() == "1"


def test_mistakes_of_exports_and_imports(podpy: Podpy) -> None:
    podpy.ok("volume", "create", "data")
    podpy("volume", "export", "nosuch").fails(125, "no such volume")
    podpy("volume", "import", "nosuch", "-").fails(125, "no such volume")
    podpy("volume", "import", "data", "nosuch").fails(125, "unable open input file: open nosuch: no such file")
    podpy("volume", "import", "data", "/").fails(125, "Is a directory")
    podpy("volume", "export", "-o", "", "data").fails(125, "must provide valid path for file to write to")
    podpy("volume", "export", "-o", "/nosuch/x", "data").fails(125, "open /nosuch/x: no such file or directory")
    own = " ".join(podpy.command())
    podpy.run(["sh", "-c", f"{own} volume export data > /dev/full"]).fails(125, "No space left on device")


def test_real_podman_reads_what_podpy_writes(podpy: Podpy, data: str) -> None:
    podpy.ok("volume", "export", "--output=data.tar", data)
    root = ["podman", "--root", str(podpy.home / "p"), "--runroot", str(podpy.runtime_dir / "p")]
    script = [*root, "unshare", "sh", "-c"]
    if podpy.run([*root, "info"]).returncode:
        pytest.skip("podman isn't installed")
    podpy.run([*root, "volume", "create", "v"]).ok()
    podpy.run([*root, "volume", "import", "v", "data.tar"]).ok()
    try:
        place = podpy.run([*root, "volume", "inspect", "--format={{.Mountpoint}}", "v"]).ok()
        assert podpy.run([*script, f"stat -c '%u:%g %a' {place}/d"]).ok() == "5:6 700"
        podpy.run([*root, "volume", "export", "-o", "again.tar", "v"]).ok()
        podpy.ok("volume", "create", "again")
        podpy.ok("volume", "import", "again", "again.tar")
        assert sorted(os.listdir(podpy.graphroot / "volumes/again/_data")) == ["d", "p"]
    finally:
        podpy.run([*script, f"umount -l {podpy.home}/p/overlay; rm -rf {podpy.home}/p"]).ok()  # Podman mounts it there
        podpy.run([*root, "system", "migrate"])


def test_the_archive_is_complete_or_not_there(podpy: Podpy, data: str) -> None:
    target = Path(podpy.home / "data.tar")
    podpy.run(["sh", "-c", "echo before > data.tar"]).ok()
    podpy.run(["sh", "-c", f"ulimit -f 1; {' '.join(podpy.command())} volume export -o data.tar {data}"]).fails(125)
    assert target.read_text() == "before\n"
