"""Unpacking layers: podpy's jailed child, the same C code in the calling process, GNU tar, and Python's tarfile.

    bench/unpack.py LAYOUT DIRECTORY [ROUNDS]

LAYOUT is an OCI layout with gzip layers; DIRECTORY is on the file system to measure: one with a journal (without it,
removing files makes later creation slow). Run it as root of a user namespace (unshare --user --map-auto
--map-root-user). Every round unpacks every layer by each method, in turn, from memory; printed are median, minimum and
maximum.
"""

from __future__ import annotations

import gzip
import json
import mmap
import os
import resource
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from podpy._native import ffi, lib
from podpy.storage.layers import filesystem
from podpy.storage.layers.unpack import MAX_BYTES, MAX_ENTRIES, Unpacker, unpack_flags

CHUNK = 1 << 18


def read_layers(layout: Path, base: Path) -> list[mmap.mmap]:
    """Return the uncompressed layers of a layout's only image: mapped files, since a fork would have to copy a heap's
    pages.
    """

    def blob(digest: str) -> bytes:
        return (layout / "blobs" / digest.replace(":", "/")).read_bytes()

    index = json.loads((layout / "index.json").read_text())
    manifest = json.loads(blob(index["manifests"][0]["digest"]))
    mapped = []
    for layer in manifest["layers"]:
        with tempfile.TemporaryFile(dir=base) as file:
            file.write(gzip.decompress(blob(layer["digest"])))
            file.flush()
            mapped.append(mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ))
    return mapped


def by_child(data: mmap.mmap, target: str) -> None:
    unpacker = Unpacker(target)
    view = memoryview(data)
    for start in range(0, len(data), CHUNK):
        unpacker.feed(view[start : start + CHUNK])
    unpacker.finish()


def in_this_process(data: mmap.mmap, target: str) -> None:
    limits = ffi.new("struct podpy_unpack_limits *", {"bytes": MAX_BYTES, "entries": MAX_ENTRIES})
    result = ffi.new("struct podpy_unpack_result *")
    directory = os.open(target, os.O_RDONLY)
    lib.podpy_unpack_here(directory, unpack_flags(), limits, ffi.from_buffer(data), len(data), CHUNK, result)
    os.close(directory)
    assert not result.failed, ffi.string(result.text)


def by_gnu_tar(data: mmap.mmap, target: str) -> None:
    command = ["tar", "-xf-", "-C", target, "--numeric-owner", "--xattrs", "--xattrs-include=*", "-p"]
    subprocess.run(command, input=data, check=True)


def by_tarfile(data: mmap.mmap, target: str) -> None:
    data.seek(0)
    with tarfile.open(fileobj=data) as archive:
        archive.extractall(target, numeric_owner=True)


METHODS: dict[str, Callable[[mmap.mmap, str], None]] = {
    "podpy (child in a jail)": by_child,
    "the same C code, no child": in_this_process,
    "GNU tar": by_gnu_tar,
    "Python tarfile": by_tarfile,
}


def cpu_seconds() -> float:
    uses = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(use.ru_utime + use.ru_stime for use in uses)


def measure(method: Callable[[mmap.mmap, str], None], layers: list[mmap.mmap], base: Path) -> tuple[float, float]:
    """Return wall and CPU seconds of unpacking all layers into fresh directories, which are removed afterwards."""
    targets = [base / f"layer-{number}" for number in range(len(layers))]
    for target in targets:
        target.mkdir()
    wall, cpu = time.perf_counter(), cpu_seconds()
    for data, target in zip(layers, targets, strict=True):
        method(data, str(target))
    result = (time.perf_counter() - wall, cpu_seconds() - cpu)
    for target in targets:
        filesystem.remove_tree(str(target))
    return result


def main() -> None:
    base = Path(sys.argv[2])
    layers = read_layers(Path(sys.argv[1]), base)
    rounds = int(sys.argv[3]) if len(sys.argv) > 3 else 5
    print(f"{len(layers)} layers, {sum(map(len, layers)) / 1e6:.0f} MB of tar, {rounds} rounds", flush=True)
    results: dict[str, list[tuple[float, float]]] = {name: [] for name in METHODS}
    for _ in range(rounds):
        for name, method in METHODS.items():
            results[name].append(measure(method, layers, base))
    for name, pairs in results.items():
        columns = [sorted(column) for column in zip(*pairs, strict=True)]
        texts = [f"{statistics.median(c):.2f} ({c[0]:.2f} to {c[-1]:.2f})" for c in columns]
        print(f"{name:28} wall {texts[0]:24} CPU {texts[1]}")


if __name__ == "__main__":
    main()
