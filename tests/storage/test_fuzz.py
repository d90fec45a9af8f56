"""The unpacker under AddressSanitizer and UBSan, fed with archives that are damaged at random, for a bounded time."""

from __future__ import annotations

import os
import random
import subprocess
import tarfile
import time
from pathlib import Path

import pytest

from podpy.storage.layers import filesystem
from tests.storage.tars import Tar

NATIVE = Path(__file__).resolve().parents[2] / "src/conmon_c/native"
SECONDS = float(os.environ.get("PODPY_FUZZ_SECONDS", "6"))
SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-g", "-O1"]
ALPHABET = [b"\0", b"\xff", b"/", b".", b"7", b"8", b" ", b"\n", b"=", b"-", b"9" * 12, b"..", b".wh.", b"\x80"]


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("fuzz") / "unpack_main"
    sources = [*sorted(NATIVE.glob("unpack*.c")), NATIVE / "tree_remove.c", Path(__file__).parent / "unpack_main.c"]
    command = ["gcc", "-std=gnu17", *SANITIZERS, f"-I{NATIVE}", *sources, "-o", target]
    subprocess.run(command, check=True)
    return target


def seeds(directory: Path) -> list[bytes]:
    sparse = directory / "sparse"
    with sparse.open("wb") as file:
        for piece in range(30):
            file.seek(piece * 40_000)
            file.write(b"data")
    headers = {"SCHILY.xattr.user.x": "y", "mtime": "1.5", "path": "p" * 120}
    tar = Tar().directory("d", mode=0o2755).file("d/f", b"f" * 600, pax_headers=headers).hardlink("h", "d/f")
    tar.symlink("s", "d").file("s/g", b"g").file("d/.wh.x", b"").file("d/.wh..wh..opq", b"").directory("f/f").file("f")
    found = [tar.bytes(), Tar(tarfile.GNU_FORMAT).file("n" * 200, b"x").symlink("l", "t" * 200).file("m" * 120).bytes()]
    for options in ("gnu -S", "posix -S --sparse-version=0.0", "posix -S --sparse-version=0.1", "posix -S"):
        command = ["tar", "-cf-", "-C", directory, "--format", *options.split(), "sparse"]
        found.append(subprocess.run(command, check=True, capture_output=True).stdout)
    return found


def with_checksums(data: bytearray) -> bytes:
    """Mend the checksum of whatever looks like a header, so that damage gets past the first check."""
    for start in range(0, len(data) - 511, 512):
        if data[start + 257 : start + 262] == b"ustar":
            data[start + 148 : start + 156] = b" " * 8
            data[start + 148 : start + 156] = b"%06o\0 " % sum(data[start : start + 512])
    return bytes(data)


def damage(seed: bytes, source: random.Random) -> bytes:
    data = bytearray(seed)
    for _ in range(source.randint(1, 6)):
        kind, position = source.randrange(5), source.randrange(len(data))
        if kind == 0:
            data[position] = source.randrange(256)
        elif kind == 1:
            piece = source.choice(ALPHABET)
            data[position : position + len(piece)] = piece
        elif kind == 2:
            del data[position : position + 512 * source.randint(1, 3)]
        elif kind == 3:
            block = position // 512 * 512
            data[block:block] = data[block : block + 512]
        else:
            block = position // 512 * 512
            offset, size = source.choice(
                [(0, 100), (100, 8), (124, 12), (156, 1), (157, 100), (345, 155), (386, 96), (483, 12)]
            )
            piece = source.choice(ALPHABET)
            data[block + offset : block + offset + min(size, len(piece))] = piece[:size]
        if not data:
            break
    return with_checksums(data)


def test_damaged_archives_neither_crash_nor_reach_outside(program: Path, tmp_path: Path) -> None:
    number = int(os.environ.get("PODPY_FUZZ_SEED", time.time_ns()))
    source = random.Random(number)
    originals = seeds(tmp_path)
    target = tmp_path / "target"
    end = time.monotonic() + SECONDS
    rounds = 0
    while time.monotonic() < end or rounds == 0:
        files = []
        for index in range(40):
            files.append(tmp_path / f"damaged-{index}.tar")
            files[-1].write_bytes(damage(source.choice(originals), source))
        target.mkdir()
        command = [program, target, str(source.choice([1, 100, 512, 4096, 1 << 20])), *files]
        done = subprocess.run(command, capture_output=True, errors="replace")
        assert done.returncode == 0, f"PODPY_FUZZ_SEED={number} round {rounds}: {done.stderr[-3000:]}"
        filesystem.remove_tree(str(target))
        rounds += 1
    left = {path.name for path in tmp_path.iterdir() if not path.name.startswith("damaged-")}
    assert left == {"sparse"}
