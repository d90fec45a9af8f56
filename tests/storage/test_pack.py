"""What a directory's files become in an archive, and an archive's in a directory that isn't empty."""

from __future__ import annotations

import contextlib
import fcntl
import io
import os
import signal
import socket
import stat
import struct
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from podpy import linux, notice
from podpy.errors import NoSpaceError, StorageError
from podpy.storage.layers.copying import copy_tree
from podpy.storage.layers.pack import PackOptions, pack_into, tar_pieces, write_tar
from podpy.storage.layers.unpack import Plain, Unpacker, unpack_plain
from tests.storage.tars import MTIME, Tar
from tests.storage.test_fuzz import NATIVE, SANITIZERS
from tests.storage.userns import in_userns, own_directory, small_filesystem

CAPABILITY = struct.pack("<IIIII", 0x02000001, 1 << 13, 0, 0, 0)  # version 2: cap_net_raw, effective
HERE = Path(__file__).resolve().parent
LONG = "n" * 90 + "/" + "m" * 90 + "/" + "o" * 200


def packed(source: Path, **how: Any) -> bytes:
    """Return a tar of a directory or file."""
    descriptor = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        return b"".join(tar_pieces(descriptor, PackOptions(**how)))
    finally:
        os.close(descriptor)


def entries(data: bytes) -> dict[str, tarfile.TarInfo]:
    """Return an archive's entries, in its order."""
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        return {member.name: member for member in tar}


def content(data: bytes, name: str) -> bytes:
    """Return what a file of the archive has in it."""
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        file = tar.extractfile(name)
        assert file is not None
        return file.read()


def set_time(path: Path, nanoseconds: int = MTIME * 10**9) -> None:
    os.utime(path, ns=(nanoseconds, nanoseconds), follow_symlinks=False)


def varied(top: Path) -> None:
    """Make one file of every kind that a tree can have."""
    (top / "b/deep").mkdir(parents=True)
    (top / "b/deep/file").write_bytes(b"x" * 100_000)
    (top / "b.txt").write_text("sorted after b and before b/")
    (top / "a").write_text("first")
    os.link(top / "a", top / "b/link")
    (top / "s").symlink_to("/etc/passwd")
    os.mkfifo(top / "pipe", 0o622)
    (top / LONG).parent.mkdir(parents=True)
    (top / LONG).write_text("long")
    (top / "l").symlink_to("t" * 200)
    (top / "su").write_text("su")
    os.chown(top / "su", 5, 60_000)
    os.chmod(top / "su", 0o6755)
    os.setxattr(top / "su", "security.capability", CAPABILITY)
    os.setxattr(top / "a", "user.note", b"hello\n=\0")
    set_time(top / "b/deep/file", 1_500_000_000_123_456_789)
    set_time(top / "b.txt", -1_250_000_000)


@in_userns
def test_every_kind_of_file_comes_out_in_the_order_of_names() -> None:
    with own_directory() as top:
        varied(top)
        data = packed(top)
        found = entries(data)
        names = list(found)
        assert names[:5] == ["a", "b", "b/deep", "b/deep/file", "b/link"]
        assert names[5] == "b.txt"
        assert "." not in names
        assert (found["a"].size, found["a"].uname, found["a"].gname) == (5, "", "")
        assert (found["b/link"].type, found["b/link"].linkname) == (tarfile.LNKTYPE, "a")
        assert (found["s"].linkname, found["l"].linkname) == ("/etc/passwd", "t" * 200)
        assert found["pipe"].isfifo() and found["pipe"].mode == os.stat(top / "pipe").st_mode & 0o7777
        assert content(data, LONG) == b"long"
        su = found["su"]
        assert (su.uid, su.gid, su.mode) == (5, 60_000, 0o6755)
        capability = su.pax_headers["SCHILY.xattr.security.capability"].encode("utf-8", "surrogateescape")
        assert capability == os.getxattr(top / "su", "security.capability")
        assert found["b/deep/file"].pax_headers["mtime"] == "1500000000.123456789"
        assert found["b.txt"].pax_headers["mtime"] == "-1.25"
        assert content(data, "b/deep/file") == b"x" * 100_000
        assert packed(top) == data


@in_userns
def test_the_archive_is_read_by_tar_and_gives_the_same_tree() -> None:
    with own_directory() as top, own_directory() as other:
        varied(top)
        data = packed(top, top=True)
        command = ["tar", "--xattrs", "--xattrs-include=*", "-xpf-", "-C", str(other)]
        subprocess.run(command, input=data, check=True)
        assert packed(other, top=True) == data


@in_userns
def test_the_unpacker_gives_the_same_tree() -> None:
    with own_directory() as top, own_directory() as other:
        varied(top)
        data = packed(top, top=True)
        unpack_plain(str(other), [data], Plain())
        assert packed(other, top=True) == data


@in_userns
def test_a_packing_child_feeds_an_unpacking_child() -> None:
    with own_directory() as top, own_directory() as other:
        varied(top)
        (top / "large").write_bytes(os.urandom(5 << 20))  # more than is under way at a time
        source = os.open(top, os.O_RDONLY)
        unpacker = Unpacker(str(other), plain=Plain())
        pack_into(unpacker, source, PackOptions(top=True))
        unpacker.finish()
        assert packed(other, top=True) == packed(top, top=True)

        unpacker = Unpacker(str(other), plain=Plain(overwrite=True))
        (child,) = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
        os.kill(int(child), signal.SIGKILL)
        pack_into(unpacker, source, PackOptions())
        with pytest.raises(StorageError, match="the unpacker was killed"):
            unpacker.finish()

        unpacker = Unpacker(str(other), plain=Plain())
        (top / ".wh.x").touch()
        with pytest.raises(StorageError, match=r"\.wh\.x: in a layer"):
            pack_into(unpacker, source, PackOptions(layer=True))
        unpacker.abort()
        os.close(source)


@in_userns
def test_ids_and_sizes_too_large_for_a_header_get_an_extended_header() -> None:
    with own_directory() as top:
        (top / "f").write_bytes(b"")
        os.truncate(top / "f", 9 << 30)
        set_time(top / "f")
        data = packed(top, sparse=True, uid_maps=[(3_000_000, 0, 1)], gid_maps=[(4_000_000, 0, 1)])
        assert len(data) < 10_000
        member = entries(data)["f"]
        assert (member.uid, member.gid, member.size) == (3_000_000, 4_000_000, 9 << 30)


@in_userns
def test_holes_become_zeros_or_a_map() -> None:
    with own_directory() as top, own_directory() as other:
        with (top / "f").open("wb") as file:
            file.seek(1 << 20)
            file.write(b"data")
            file.truncate(3 << 20)
        plain = packed(top)
        assert content(plain, "f") == bytes(1 << 20) + b"data" + bytes((2 << 20) - 4)
        mapped = packed(top, sparse=True)
        assert len(mapped) < 20_000
        assert content(mapped, "f") == content(plain, "f")
        for name, data in (("mine", mapped), ("gnu", mapped)):
            (other / name).mkdir()
            if name == "gnu":
                subprocess.run(["tar", "-xf-", "-C", str(other / name)], input=data, check=True)
            else:
                unpack_plain(str(other / name), [data], Plain())
            assert (other / name / "f").read_bytes() == (top / "f").read_bytes()
            assert (other / name / "f").stat().st_blocks * 512 < 1 << 20


@in_userns
def test_a_file_truncated_at_its_hole_is_reported() -> None:
    with own_directory() as top:
        with (top / "f").open("wb") as file:
            file.write(b"d" * (4 << 20))
            file.seek(8 << 20)
            file.write(b"end")
        notice.take_warnings()
        descriptor = os.open(top / "f", os.O_RDONLY)
        pieces = tar_pieces(descriptor)
        parts = [next(pieces)]  # no more than a pipe holds has been read
        os.truncate(top / "f", 4 << 20)
        parts += pieces
        os.close(descriptor)
        assert content(b"".join(parts), "") == b"d" * (4 << 20) + bytes((4 << 20) + 3)
        (told,) = notice.take_warnings()
        assert "became shorter while being read" in told


@contextlib.contextmanager
def leased(path: Path) -> Iterator[None]:
    """A write lease on a file for another process, which gives it up when it is asked to."""
    reading, writing = os.pipe()
    holder = os.fork()
    if holder == 0:
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGIO])
        file = os.open(path, os.O_RDWR)
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_WRLCK)
        os.write(writing, b".")
        signal.sigwait([signal.SIGIO])
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_UNLCK)
        signal.pause()
    os.close(writing)
    try:
        assert os.read(reading, 1) == b"."
        yield
    finally:
        os.close(reading)
        os.kill(holder, signal.SIGKILL)
        os.waitpid(holder, 0)


@in_userns
def test_a_lease_on_a_file_is_waited_for() -> None:
    with own_directory() as top, own_directory() as other:
        (top / "f").write_text("content")
        with leased(top / "f"):
            data = packed(top)
        assert content(data, "f") == b"content"
        with leased(top / "f"):
            copy_tree(os.fspath(top), os.fspath(other))
        assert (other / "f").read_text() == "content"


@in_userns
def test_a_single_file_gets_the_name_that_is_asked_for() -> None:
    with own_directory() as top:
        (top / "f").write_text("content")
        data = packed(top / "f", name="other")
        assert list(entries(data)) == ["other"]
        assert content(data, "other") == b"content"
        (top / "d").mkdir()
        (top / "d/x").write_text("x")
        assert list(entries(packed(top / "d", name="e"))) == ["e", "e/x"]
        (top / "l").symlink_to("f")
        descriptor = os.open(top / "l", os.O_PATH | os.O_NOFOLLOW)
        assert entries(b"".join(tar_pieces(descriptor, PackOptions(name="k"))))["k"].linkname == "f"
        os.close(descriptor)


@in_userns
def test_sockets_and_excluded_paths_are_omitted() -> None:
    with own_directory() as top, socket.socket(socket.AF_UNIX) as server:
        server.bind(str(top / "socket"))
        (top / "dev").mkdir()
        (top / "dev/x").touch()
        (top / "var/dev").mkdir(parents=True)
        assert list(entries(packed(top, excluded=["dev", "proc"]))) == ["var", "var/dev"]
        assert list(entries(packed(top, name="t", excluded=["dev"]))) == ["t", "t/var", "t/var/dev"]


@in_userns
def test_overlay_marks_become_whiteouts_of_a_layer() -> None:
    with own_directory() as top, own_directory() as other:
        (top / "d").mkdir()
        os.setxattr(top / "d", "user.overlay.opaque", b"y")
        (top / "d/new").touch()
        os.mknod(top / "gone", stat.S_IFCHR, 0)
        os.link(top / "gone", top / "too")
        data = packed(top, layer=True)
        assert list(entries(data)) == ["d", "d/.wh..wh..opq", "d/new", ".wh.gone", ".wh.too"]
        assert all(member.size == 0 and member.isreg() for name, member in entries(data).items() if ".wh." in name)
        unpacker = Unpacker(str(other))
        unpacker.feed(data)
        unpacker.finish()
        assert os.getxattr(other / "d", "user.overlay.opaque") == b"y"
        assert packed(other, layer=True) == data
        (top / ".wh.honest").touch()
        with pytest.raises(StorageError, match=r"^\.wh\.honest: in a layer"):
            packed(top, layer=True)


@in_userns
def test_mounts_are_crossed_only_if_asked() -> None:
    with own_directory() as top:
        for name in ("mounted", "bound"):
            (top / name).mkdir()
        (top / "file").write_text("below")
        linux.mount("tmpfs", top / "mounted", "tmpfs")
        (top / "mounted/inside").write_text("x")
        linux.mount(top / "mounted", top / "bound", None, linux.MS_BIND)
        linux.mount(top / "mounted/inside", top / "file", None, linux.MS_BIND)
        assert list(entries(packed(top))) == ["bound", "mounted"]
        data = packed(top, cross=True)
        assert list(entries(data)) == ["bound", "bound/inside", "file", "mounted", "mounted/inside"]
        for name in ("file", "bound", "mounted"):
            linux.umount2(top / name)


@in_userns
def test_a_tree_is_read_however_deep_it_is() -> None:
    depth = 1_200  # more than the descriptors that a process usually may have
    with own_directory() as top:
        here = os.open(top, os.O_RDONLY | os.O_DIRECTORY)
        for _ in range(depth):
            os.mkdir("d", dir_fd=here)
            deeper = os.open("d", os.O_RDONLY | os.O_DIRECTORY, dir_fd=here)
            os.close(here)
            here = deeper
        os.close(os.open("bottom", os.O_CREAT | os.O_WRONLY, 0o600, dir_fd=here))
        os.close(here)
        (top / "e").touch()
        assert list(entries(packed(top)))[-2:] == ["d/" * depth + "bottom", "e"]


@in_userns
def test_a_full_disk_and_a_closed_reader_are_errors() -> None:
    with own_directory() as top, small_filesystem(1) as small:
        (top / "f").write_bytes(os.urandom(4 << 20))
        source = os.open(top, os.O_RDONLY | os.O_DIRECTORY)
        with (small / "tar").open("wb") as file, pytest.raises(NoSpaceError, match="writing the archive"):
            write_tar(source, file.fileno())
        reading, writing = os.pipe()
        os.close(reading)
        with pytest.raises(BrokenPipeError):
            write_tar(source, writing)
        os.close(writing)
        os.close(source)


@in_userns
def test_an_attribute_whose_name_an_archive_cannot_hold_becomes_no_other() -> None:
    with own_directory() as top:
        (top / "f").touch()
        os.setxattr(top / "f", "user.a=b", b"c")
        os.setxattr(top / "f", "user.d", b"e=f")
        found = entries(packed(top))["f"].pax_headers
        assert {key: value for key, value in found.items() if "xattr" in key} == {"SCHILY.xattr.user.d": "e=f"}


@in_userns
def test_a_plain_archive_is_merged_with_existing_files() -> None:
    with own_directory() as top:
        (top / "root/data").mkdir(parents=True)
        (top / "root/bin").symlink_to("data")
        (top / "root/kept").write_text("kept")
        (top / "root/old").write_text("old")
        opened = (top / "root/old").open()
        tar = Tar().file("old", b"new", uid=7).directory("bin").file("bin/tool", b"tool").file(".wh.kept", b"name")
        tar.file("made/up/file", b"x").hardlink("again", "old")
        unpack_plain(str(top), [tar.bytes()], Plain(prefix="root", owner=(3, 4)))
        assert opened.read() == "old"
        opened.close()
        assert (top / "root/old").read_text() == "new"
        assert (top / "root/kept").read_text() == "kept"
        assert (top / "root/.wh.kept").read_text() == "name"
        assert (top / "root/bin").is_symlink()
        assert (top / "root/data/tool").read_text() == "tool"
        for name in ("old", "data/tool", "made", "made/up", "made/up/file", "again"):
            status = (top / "root" / name).stat()
            assert (status.st_uid, status.st_gid) == (3, 4), name
        assert not [name for name in os.listdir(top / "root") if name.startswith(".podpy")]


@in_userns
def test_a_directory_replaces_a_file_only_if_asked() -> None:
    with own_directory() as top:
        (top / "d").mkdir()
        (top / "d/inside").touch()
        (top / "f").touch()
        with pytest.raises(StorageError, match="d: a directory is there"):
            unpack_plain(str(top), [Tar().file("d", b"x").bytes()], Plain())
        with pytest.raises(StorageError, match="it is no directory there"):
            unpack_plain(str(top), [Tar().directory("f").bytes()], Plain())
        tar = Tar().file("d", b"x").directory("f").bytes()
        unpack_plain(str(top), [tar], Plain(overwrite=True))
        assert (top / "d").read_text() == "x"
        assert (top / "f").is_dir()


@in_userns
def test_links_of_the_directory_end_at_its_top() -> None:
    with own_directory() as top:
        (top / "root").mkdir()
        (top / "root/out").symlink_to("/../../..")
        unpack_plain(str(top / "root"), [Tar().file("out/f", b"x").bytes()], Plain())
        assert (top / "root/f").read_text() == "x"
        with pytest.raises(StorageError, match=r"\.\."):
            unpack_plain(str(top / "root"), [Tar().file("../f", b"x").bytes()], Plain())


def exchange(one: Path, other: Path) -> None:
    """Let two names change places, again and again, until the process is killed or its parent has ended."""
    parent = os.getppid()
    try:
        while os.getppid() == parent:
            linux.renameat2(one, other, linux.RENAME_EXCHANGE)
    finally:
        os._exit(0)


@in_userns
def test_a_link_that_somebody_swaps_in_is_not_followed() -> None:
    tar = Tar()
    for number in range(1000):
        tar.directory("d", mode=0o777).file(f"d/{number}/f", b"x")
    with own_directory() as top:
        (top / "d").mkdir()
        (top / "other").mkdir(mode=0o700)
        (top / "link").symlink_to("other")
        swapper = os.fork()
        if swapper == 0:
            exchange(top / "d", top / "link")
        try:
            for _ in range(5):
                with contextlib.suppress(StorageError):
                    unpack_plain(str(top), [tar.bytes()], Plain(owner=(3, 4)))
        finally:
            os.kill(swapper, signal.SIGKILL)
            os.waitpid(swapper, 0)
        status = (top / "other").stat()
        assert (stat.S_IMODE(status.st_mode), status.st_uid, status.st_gid) == (0o700, 0, 0)


@in_userns
def test_on_a_full_disk_the_old_file_stays() -> None:
    with small_filesystem(2) as top:
        (top / "f").write_text("old")
        with pytest.raises(NoSpaceError, match="f: writing it"):
            unpack_plain(str(top), [Tar().file("f", os.urandom(4 << 20)).bytes()], Plain())
        assert (top / "f").read_text() == "old"
        assert os.listdir(top) == ["f"]

        def broken() -> Any:
            yield Tar().file("f", b"n" * 100_000).bytes()[:50_000]
            raise InterruptedError

        with pytest.raises(InterruptedError):
            unpack_plain(str(top), broken(), Plain())
        assert os.listdir(top) == ["f"]


@in_userns
def test_owners_inside_a_container_become_those_outside() -> None:
    with own_directory() as top:
        maps = [(0, 1000, 10)]
        unpack_plain(str(top), [Tar().file("f", b"", uid=3, gid=4).bytes()], Plain(uid_maps=maps, gid_maps=maps))
        status = (top / "f").stat()
        assert (status.st_uid, status.st_gid) == (1003, 1004)
        member = entries(packed(top, uid_maps=maps, gid_maps=maps))["f"]
        assert (member.uid, member.gid) == (3, 4)


@pytest.fixture(scope="module")
def sanitized(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("pack") / "pack_main"
    sources = [*NATIVE.glob("pack*.c"), *NATIVE.glob("unpack*.c"), NATIVE / "tree_remove.c", HERE / "pack_main.c"]
    command = ["gcc", "-std=gnu17", *SANITIZERS, f"-I{NATIVE}", *sources, "-o", target]
    subprocess.run(command, check=True)
    return target


def odd(top: Path) -> None:
    """Make names, links and files at the edges of what a header holds."""
    for number in range(300):
        (top / f"many-{number}").write_bytes(b"m" * number * 40)
    for length in (98, 99, 100, 101, 154, 155, 156, 255):
        (top / ("x" * length)).touch()
        (top / "y" / ("z" * min(length, 250))).mkdir(parents=True)
        (top / f"link-{length}").symlink_to("t" * length)
    with (top / "sparse").open("wb") as file:
        for piece in range(200):
            file.seek(piece * 40_000)
            file.write(b"data")
    os.setxattr(top / "sparse", "user.large", b"v" * 3000)
    (top / "gone").touch()


@pytest.mark.parametrize("flags", [0, 1, 2 | 4 | 8, 1 | 16])
def test_the_sanitizers_find_nothing(sanitized: Path, tmp_path: Path, flags: int) -> None:
    odd(tmp_path)
    done = subprocess.run([sanitized, str(flags), tmp_path], capture_output=True)
    assert done.returncode == 0, done.stderr.decode(errors="replace")[-3000:]
    listed = subprocess.run(["tar", "-tf-"], input=done.stdout, capture_output=True)
    assert listed.returncode == 0, listed.stderr
    assert len(listed.stdout.splitlines()) > 300
