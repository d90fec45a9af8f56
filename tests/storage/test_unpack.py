"""What an archive's entries become on disk."""

from __future__ import annotations

import os
import stat
import struct
import subprocess
import tarfile
from pathlib import Path

import pytest

from podpy.errors import StorageError
from podpy.storage.layers.inherit import IMPLIED
from podpy.storage.layers.unpack import Unpacker
from tests.storage.tars import MTIME, Tar
from tests.storage.userns import in_userns, own_directory

CAPABILITY = struct.pack("<IIIII", 0x02000001, 1 << 13, 0, 0, 0)  # version 2: cap_net_raw, effective


def unpack(data: bytes, target: Path, chunk: int = 1 << 18, **limits: int) -> Unpacker:
    unpacker = Unpacker(str(target), **limits)
    for start in range(0, len(data), chunk):
        unpacker.feed(data[start : start + chunk])
    unpacker.finish()
    return unpacker


def is_whiteout(path: Path) -> bool:
    status = path.lstat()
    return stat.S_ISCHR(status.st_mode) and status.st_rdev == 0


def is_opaque(path: Path) -> bool:
    return "user.overlay.opaque" in os.listxattr(path) and os.getxattr(path, "user.overlay.opaque") == b"y"


def fails(data: bytes, text: str, **limits: int) -> None:
    with own_directory() as target, pytest.raises(StorageError, match=text):
        unpack(data, target, **limits)


@in_userns
def test_owner_mode_times_and_attributes_are_kept() -> None:
    tar = Tar()
    tar.directory("./", mode=0o711, uid=3, gid=4)
    tar.directory("bin", mode=0o2750, uid=7, gid=8)
    headers = {
        "SCHILY.xattr.security.capability": CAPABILITY.decode("utf-8", "surrogateescape"),
        "mtime": "12.000000345",
    }
    tar.file("bin/ping", b"ping", mode=0o755, uid=5, gid=6, pax_headers=headers)
    tar.file("bin/su", b"su", mode=0o6755, uid=0, gid=9)
    tar.file("bin/note", b"n", mode=0o600, pax_headers={"SCHILY.xattr.user.note": "hello"})
    tar.add("bin/pipe", tarfile.FIFOTYPE, mode=0o622, uid=1)
    with own_directory() as target:
        unpacker = unpack(tar.bytes(), target)
        root, su, ping = target.stat(), (target / "bin/su").stat(), (target / "bin/ping").stat()
        assert (root.st_uid, root.st_gid, root.st_mode & 0o7777) == (3, 4, 0o711)
        assert (su.st_uid, su.st_gid, su.st_mode & 0o7777, su.st_mtime_ns) == (0, 9, 0o6755, MTIME * 10**9)
        assert (ping.st_uid, ping.st_gid, ping.st_mtime_ns) == (5, 6, 12_000_000_345)
        assert (target / "bin").stat().st_mode & 0o7777 == 0o2750
        assert (target / "bin").stat().st_mtime == MTIME
        assert os.getxattr(target / "bin/ping", "security.capability")[4:8] == CAPABILITY[4:8]
        assert os.getxattr(target / "bin/note", "user.note") == b"hello"
        pipe = (target / "bin/pipe").stat()
        assert stat.S_ISFIFO(pipe.st_mode)
        assert (pipe.st_uid, pipe.st_mode & 0o777) == (1, 0o622)
        assert (unpacker.entries, unpacker.size, unpacker.root_seen) == (6, 7, True)


@in_userns
def test_hard_links_share_a_file_and_symbolic_links_stay_links() -> None:
    tar = Tar().file("a", b"a", mode=0o644).hardlink("d/b", "a", mode=0o4755, uid=3).symlink("s", "/etc/passwd")
    tar.hardlink("t", "s").hardlink("a", "a", mode=0o4755, uid=3)
    with own_directory() as target:
        unpack(tar.bytes(), target)
        a, b = (target / "a").stat(), (target / "d/b").stat()
        assert a.st_ino == b.st_ino
        assert (a.st_uid, a.st_mode & 0o7777) == (3, 0o4755), "the link's header counts, as in podman"
        assert os.readlink(target / "t") == "/etc/passwd"


@in_userns
def test_a_link_with_the_same_owner_keeps_the_files_capabilities() -> None:
    headers = {"SCHILY.xattr.security.capability": CAPABILITY.decode("utf-8", "surrogateescape")}
    tar = Tar().file("a", mode=0o755, uid=5, pax_headers=headers).hardlink("b", "a", mode=0o755, uid=5)
    with own_directory() as target:
        unpack(tar.bytes(), target)
        assert "security.capability" in os.listxattr(target / "b")


@pytest.mark.parametrize("format", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
@in_userns
def test_long_names_and_large_numbers(format: int) -> None:
    name = "/".join(["n" * 100, "m" * 150, "f"])
    tar = Tar(format).file(name, b"long").symlink("link", "t" * 300).file("old", mtime=2**35, uid=65000)
    with own_directory() as target:
        unpack(tar.bytes(), target)
        assert (target / name).read_bytes() == b"long"
        assert os.readlink(target / "link") == "t" * 300
        assert (target / "old").stat().st_uid == 65000
        assert (target / "old").stat().st_mtime in (2**35, 15032385535), "or ext4's own limit, in the year 2446"


@in_userns
def test_a_ustar_prefix_is_part_of_the_name() -> None:
    name = "p" * 90 + "/" + "q" * 90
    with own_directory() as target:
        unpack(Tar(tarfile.USTAR_FORMAT).file(name, b"u").bytes(), target)
        assert (target / name).read_bytes() == b"u"


@in_userns
def test_names_need_not_be_utf8() -> None:
    name = os.fsdecode(b"caf\xe9")
    with own_directory() as target:
        unpack(Tar(tarfile.GNU_FORMAT).file(name, b"latin").bytes(), target)
        assert os.listdir(os.fsencode(target)) == [b"caf\xe9"]


@pytest.mark.parametrize(
    "options", ["gnu -S", "posix -S --sparse-version=0.0", "posix -S --sparse-version=0.1", "posix -S"]
)
@in_userns
def test_sparse_files_keep_their_holes(options: str) -> None:
    with own_directory() as base:
        source, target = base / "source", base / "target"
        source.mkdir()
        target.mkdir()
        with (source / "sparse").open("wb") as file:
            for piece in range(30):  # more than one extension header of the old format
                file.seek(piece * 200_000)
                file.write(b"data%d" % piece)
            file.truncate(10_000_000)
        (source / "after").write_text("after")
        archive = base / "a.tar"
        files = ["sparse", "after"]
        subprocess.run(["tar", "-cf", archive, "-C", source, "--format", *options.split(), *files], check=True)
        unpack(archive.read_bytes(), target)
        assert (target / "sparse").read_bytes() == (source / "sparse").read_bytes()
        assert (target / "sparse").stat().st_blocks * 512 < 1_000_000
        assert (target / "after").read_text() == "after"


@in_userns
def test_whiteouts_take_overlays_form() -> None:
    tar = Tar().directory("d").file("d/.wh.gone", b"").directory("o").file("o/.wh..wh..opq", b"").file("o/new", b"n")
    tar.file(".wh..wh.plnk", b"").file("x/.wh.y", b"")
    with own_directory() as target:
        unpack(tar.bytes(), target)
        assert is_whiteout(target / "d/gone")
        assert is_opaque(target / "o")
        assert (target / "o/new").read_bytes() == b"n"
        assert is_whiteout(target / "x/y")
        assert sorted(os.listdir(target)) == ["d", "o", "x"]


@in_userns
def test_a_whiteout_doesnt_hide_files_of_its_own_layer() -> None:
    tar = Tar().file("before", b"b").file(".wh.before", b"").file(".wh.after", b"").file("after", b"a")
    tar.file(".wh.dir", b"").file("dir/kept", b"k").directory("dir2").file("dir2/k", b"k").file(".wh.dir2", b"")
    tar.file(".wh.gone", b"").file("gone/.wh.child", b"")
    with own_directory() as target:
        unpack(tar.bytes(), target)
        assert (target / "before").read_bytes() == b"b"
        assert (target / "after").read_bytes() == b"a"
        assert (target / "dir/kept").read_bytes() == b"k"
        assert is_opaque(target / "dir"), "the lower layers' directory stays hidden"
        assert is_opaque(target / "dir2")
        assert is_whiteout(target / "gone")


@in_userns
def test_later_entries_replace_earlier_ones() -> None:
    tar = Tar().file("f", b"1").hardlink("twin", "f").file("f", b"2")
    tar.file("was-file", b"1").directory("was-file").file("was-file/in", b"i")
    tar.directory("was-dir/deep").file("was-dir/deep/f", b"1").file("was-dir", b"now")
    tar.directory("was-dir2").file("was-dir2/f", b"1").symlink("was-dir2", "was-file").file("was-dir2/through", b"t")
    tar.directory("twice", mode=0o700, uid=1).directory("twice", mode=0o711, uid=2, mtime=5)
    with own_directory() as target:
        unpack(tar.bytes(), target)
        assert (target / "f").read_bytes() == b"2"
        assert (target / "twin").read_bytes() == b"1", "the other name keeps the old file"
        assert (target / "was-file/in").read_bytes() == b"i"
        assert (target / "was-dir").read_bytes() == b"now"
        assert (target / "was-file/through").read_bytes() == b"t"
        twice = (target / "twice").stat()
        assert (twice.st_mode & 0o7777, twice.st_uid, twice.st_mtime) == (0o711, 2, 5)


@in_userns
def test_directories_without_an_entry_are_counted_and_marked() -> None:
    tar = Tar().file("a/b/f").file("c/g").directory("c", mtime=7).directory("d").file("d/h").file(".wh.e").file("e/i")
    with own_directory() as target:
        assert unpack(tar.bytes(), target).implied == 3, "c, too: its entry came later"
        assert (target / "a").stat().st_mtime_ns == (target / "a/b").stat().st_mtime_ns == IMPLIED
        assert (target / "c").stat().st_mtime == 7
        assert (target / "d").stat().st_mtime == MTIME
        assert (target / "e").stat().st_mtime_ns != IMPLIED, "new beside a whiteout, so not the lower layers' directory"


@in_userns
def test_devices_are_skipped_and_counted() -> None:
    tar = Tar().add("null", tarfile.CHRTYPE, devmajor=1, devminor=3).add("disk", tarfile.BLKTYPE, devmajor=8)
    tar.add("fake-whiteout", tarfile.CHRTYPE).file("f")
    with own_directory() as target:
        assert unpack(tar.bytes(), target).skipped_devices == 3
        assert os.listdir(target) == ["f"]


@in_userns
def test_overlays_own_attributes_in_an_archive_are_not_set() -> None:
    marks = {"SCHILY.xattr.user.overlay.redirect": "/etc", "SCHILY.xattr.trusted.overlay.opaque": "y"}
    tar = Tar().directory("d", pax_headers=marks).file("f", pax_headers=marks)
    with own_directory() as target:
        assert unpack(tar.bytes(), target).skipped_xattrs == 4
        assert not os.listxattr(target / "d")
        assert not os.listxattr(target / "f")


@in_userns
def test_ids_outside_the_users_range_are_named_with_the_largest() -> None:
    tar = Tar().file("a", uid=70000).file("b", gid=200000).file("c", uid=5)
    fails(tar.bytes(), "uid 70000 and gid 200000.*200000 subordinate ids")


@pytest.mark.parametrize("chunk", [1, 7, 511, 513, 5000])
@in_userns
def test_the_pieces_size_doesnt_matter(chunk: int) -> None:
    tar = Tar().directory("d").file("d/f", bytes(range(256)) * 20).symlink("s", "x" * 200).file("y" * 150, b"y")
    with own_directory() as target:
        unpack(tar.bytes(), target, chunk=chunk)
        assert (target / "d/f").read_bytes() == bytes(range(256)) * 20
        assert (target / ("y" * 150)).read_bytes() == b"y"


@in_userns
def test_a_truncated_archive_is_an_error_but_padding_is_not() -> None:
    data = Tar().file("a", b"a" * 1000).file("n" * 200, b"b").bytes()
    with own_directory() as target:
        unpack(data + bytes(100_000), target)
    end = len(data.rstrip(b"\0"))
    for cut in (1, 511, 513, 1024, 1500, 2049, 3000, end - 1):
        fails(data[:cut], "cut off")


@in_userns
def test_data_that_isnt_a_tar_is_an_error() -> None:
    fails(b"\x1f\x8b" + bytes(2000), "isn't a tar")
    fails(Tar().file("a").bytes().replace(b"ustar\x0000", b"ustar\x0001", 1), "checksum")


@in_userns
def test_bombs_are_stopped() -> None:
    many = Tar()
    for number in range(50):
        many.file(f"f{number}", b"")
    fails(many.bytes(), "more than 49 entries", max_entries=49)
    fails(Tar().file("big", bytes(5000)).bytes(), "more than 4999 bytes", max_bytes=4999)
    fails(Tar().file("x", pax_headers={"comment": "c" * (2 << 20)}).bytes(), "extended header has")


@in_userns
def test_an_archive_that_would_fill_the_memory_is_stopped() -> None:
    endless = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "1"}
    fails(Tar().file("map", b"1\n" + b"1" * (2 << 20), pax_headers=endless).bytes(), "sparse map has more than")
    with own_directory() as target:
        unpacker = Unpacker(str(target))
        piece = Tar().directory("/".join(["d" * 200] * 20)).bytes().rstrip(b"\0")
        piece += bytes(-len(piece) % 512)
        with pytest.raises(StorageError, match="out of memory"):
            for _ in range(100):  # 400 MB of names of one and the same directory
                unpacker.feed(piece * 1000)


@in_userns
def test_the_right_one_of_several_extended_headers_counts() -> None:
    """As in Go's archive/tar: the last pax header alone, a GNU name before any, none from before a global header."""
    with own_directory() as target:
        unpack(meta(b"x", path="first") + meta(b"x", mtime="7") + Tar().file("own").bytes(), target)
        assert (target / "own").stat().st_mtime == 7
        unpack(gnu_name(b"gnu") + meta(b"x", path="pax") + Tar().file("own").bytes(), target)
        unpack(meta(b"x", path="pax") + meta(b"g", comment="c") + Tar().file("alone").bytes(), target)
        assert sorted(os.listdir(target)) == ["alone", "gnu", "own"]


def meta(kind: bytes, **records: str) -> bytes:
    """Return a pax header of this kind, for whatever follows."""
    return tarfile.TarInfo._create_pax_generic_header(records, kind, "utf-8")  # type: ignore[attr-defined]


def gnu_name(name: bytes) -> bytes:
    header = tarfile.TarInfo("././@LongLink")
    header.type, header.size = tarfile.GNUTYPE_LONGNAME, len(name) + 1
    return header.tobuf(tarfile.GNU_FORMAT) + name.ljust(512, b"\0")


@in_userns
def test_the_unpacker_cannot_leave_its_directory() -> None:
    with own_directory() as target:
        unpacker = Unpacker(str(target))
        data = Tar().file("a").bytes()
        unpacker.feed(data[:100])
        child = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()[-1]
        seccomp = ""
        while seccomp != "2":  # it is still on its way into the jail
            status = dict(line.split(":\t", 1) for line in Path(f"/proc/{child}/status").read_text().splitlines())
            seccomp = status["Seccomp"].strip()
        assert status["NoNewPrivs"].strip() == "1"
        chown, dac, fowner, fsetid, mknod, setfcap = 1, 2, 8, 16, 1 << 27, 1 << 31
        assert int(status["CapEff"], 16) == chown | dac | fowner | fsetid | mknod | setfcap
        unpacker.feed(data[100:])
        unpacker.finish()
        assert (target / "a").read_bytes() == b"x"
