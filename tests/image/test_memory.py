"""What an image may make podpy hold in memory: windows of compressed layers, one large one at a time."""

from __future__ import annotations

import lzma
import os
import sys
from pathlib import Path
from threading import Thread

import pytest

from podpy.image.incoming.windows import Budget, zstd_window
from tests.support import wait
from tests.support.engine import Podpy
from tests.support.images import Image, Layer, compact, sha256, write_tar

zstd = pytest.importorskip("compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd")
MIB = 1 << 20
NAME = "localhost/large:latest"
# A process of its own, because what one does before its exec counts for it: that would be the test's memory.
MEASURE = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def packed(data: bytes, window_log: int) -> bytes:
    """Compress as a pipe does: the frame doesn't say how much is in it."""
    packer = zstd.ZstdCompressor(options={zstd.CompressionParameter.window_log: window_log})
    return b"".join([packer.compress(data[:1]), packer.compress(data[1:]), packer.flush()])


def write_archive(path: Path, image: Image, window_log: int) -> Path:
    """Write a docker-archive whose layers are zstd."""
    names = [f"{number}.tar" for number in range(len(image.layers))]
    files = {name: packed(layer, window_log) for name, layer in zip(names, image.layers, strict=True)}
    files["config.json"] = image.config()
    files["manifest.json"] = compact([{"Config": "config.json", "RepoTags": [NAME], "Layers": names}])
    write_tar(path, files)
    return path


def test_three_layers_with_large_windows_take_the_memory_of_one(podpy: Podpy, session_base: Path) -> None:
    layers = [Layer().add(f"zeros-{number}", b"\0" * (70 * MIB)).tar() for number in range(3)]
    archive = write_archive(session_base / "windows.tar", Image(layers), 26)
    peak = podpy.run([sys.executable, "-c", MEASURE, *podpy.command("load", "-q", "-i", str(archive))]).ok()
    assert 64 < int(peak) / 1024 < 160
    assert NAME in podpy.ok("images", "--format", "{{.Repository}}:{{.Tag}}")


def test_a_window_that_is_too_large_is_refused(podpy: Podpy, small: Image, session_base: Path) -> None:
    archive = write_archive(session_base / "window.tar", small, 28)
    podpy("load", "-i", str(archive)).fails(125, "zstd data with a window of more than 128 MiB", "zstd --long=27")
    assert podpy.ok("images", "-q") == ""


def test_a_broken_layer_gives_its_window_back(podpy: Podpy, session_base: Path) -> None:
    """The same call's next image needs it."""
    broken = Image([os.urandom(512) + bytes(8 * MIB)])
    good = Image([Layer().add("zeros", bytes(8 * MIB)).tar()])
    archives = [write_archive(session_base / name, image, 26) for name, image in (("b.tar", broken), ("g.tar", good))]
    said = podpy("pull", "-q", *(f"docker-archive:{path}" for path in archives)).fails(125, "this isn't a tar")
    assert said.stdout.strip() == sha256(good.config())[7:]


def test_an_xz_archive_that_needs_too_much_is_refused(podpy: Podpy, session_base: Path) -> None:
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 256 * MIB}]
    archive = session_base / "archive.tar.xz"
    archive.write_bytes(lzma.compress(b"\0" * 10_000, filters=filters))
    podpy("load", "-i", str(archive)).fails(125, "xz data with a window of more than 128 MiB", "xz -9")


@pytest.mark.parametrize("window_log", [10, 17, 23, 27])
def test_the_window_stands_in_the_first_six_bytes(window_log: int) -> None:
    frame = packed(os.urandom(1000), window_log)
    assert zstd_window(frame[:5]) is None
    assert zstd_window(frame[:6]) == 1 << window_log


@pytest.mark.parametrize("size", [1, 255, 256, 65_791, 65_792, 200_000])
def test_a_frame_that_is_one_segment_has_its_content_for_a_window(size: int) -> None:
    frame = zstd.compress(os.urandom(size))
    if size < 256 or frame[4] & 0x20:
        assert zstd_window(frame) == size


def test_what_is_no_frame_has_no_window() -> None:
    assert zstd_window(b"\x50\x2a\x4d\x18\x01\0\0\0x") == 0


def test_small_windows_go_together_and_a_large_one_alone() -> None:
    budget = Budget(10)
    budget.take(4)
    budget.take(6)
    others: list[int] = []

    def take(window: int) -> None:
        budget.take(window)
        others.append(window)

    threads = [Thread(target=take, args=(window,), daemon=True) for window in (100, 5)]
    threads[0].start()
    budget.give_back(6)
    threads[1].start()
    wait.until(lambda: others == [5], what="the small one fits in beside the first")
    budget.give_back(4)
    assert others == [5]
    budget.give_back(5)
    wait.until(lambda: others == [5, 100], what="the large one, when it is alone")
    for thread in threads:
        thread.join()
