"""What RUN's mounts show, and what of them counts for the cache."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from podpy import beneath, linux
from podpy.storage.mounts.driver import find_fuse_overlayfs
from tests.build.building import Builder
from tests.storage.userns import in_userns

MADE = "FROM localhost/busybox AS made\nRUN mkdir /st; echo {content} > /st/x; echo {other} > /y\n"
USED = "FROM localhost/busybox\nRUN --mount=from=made,source=/st,target=/m cat /m/x\n"


def test_a_stage_that_is_mounted_counts_by_its_files(build: Builder) -> None:
    build.ok(USED, base=MADE.format(content=1, other=1))
    same = build(USED, base=MADE.format(content=1, other=2)).ok()
    assert same.count("--> Using cache ") == 1
    assert "2\n" in build(USED, base=MADE.format(content=2, other=2)).ok()
    failed = USED.replace("source=/st", "source=/none")
    build(failed, base=MADE.format(content=1, other=1)).fails(125, 'mounting "/none" of made: no such file')


@in_userns
def test_what_is_read_only_is_so_in_mounts_below_it() -> None:
    with tempfile.TemporaryDirectory() as base:
        inner, target = Path(base, "top/inner"), Path(base, "target")
        inner.mkdir(parents=True)
        linux.mount("tmpfs", str(inner), "tmpfs", 0, "")
        source = os.open(inner.parent, os.O_PATH)
        beneath.attach(source, str(target), read_only=True)
        os.close(source)
        for path in ("file", "inner/file"):
            (inner.parent / path).touch()
            with pytest.raises(OSError, match="Read-only file system"):
                (target / path).write_text("")
        linux.umount2(str(target), 2)
        linux.umount2(str(inner), 2)


def test_a_cache_begins_with_files(build: Builder) -> None:
    made = MADE.format(content=1, other=1)
    text = "FROM localhost/busybox\nRUN --mount=type=cache,target=/c,from=made,source=/st cat /c/x; echo more >> /c/x\n"
    assert "1" in build(text, base=made).ok().splitlines()
    again = build(f"{text}RUN --mount=type=cache,target=/c,from=made,source=/st cat /c/x\n", base=made).ok()
    assert "more" in again.splitlines() and again.count("--> Using cache ") == 2
    other = build(text, base=MADE.format(content=2, other=1)).ok().splitlines()
    assert "2" in other and "more" not in other
    failed = text.replace("source=/st", "source=/y")
    build(failed, base=made).fails(125, 'the cache\'s source "/y" is no directory')
    build(failed.replace("/y", "/none"), base=made).fails(125, "no such file or directory")
    assert build.podpy.ok("system", "check") == ""
    empty = "RUN --mount=type=cache,target=/c,source=sub ls /c | wc -l\n"
    assert "0" in build(empty).ok().splitlines()


def test_a_device_is_the_callers_to_give(build: Builder) -> None:
    missing = "RUN --device=vendor.example/class=one,required true\n"
    failed = build(missing).fails(125, "the build's caller hasn't given it")
    assert "Hint: " in failed.stderr and "podpy build --device vendor.example/class=one" in failed.stderr
    build.ok("RUN --device=vendor.example/class=one true\n")
    build("RUN --device=required=x true\n").fails(125, "invalid device: ")
    build("RUN --device= true\n").fails(125, "a device needs a name")


def test_fuse_overlayfs_names_opaque_directories_once(build: Builder) -> None:
    if not find_fuse_overlayfs():
        pytest.skip("fuse-overlayfs isn't installed")
    driver = {"PODPY_STORAGE_DRIVER": "fuse-overlayfs"}
    text = "RUN mkdir /d && touch /d/old\nRUN rm -r /d && mkdir /d && touch /d/new\n"
    made = build(text, "-q", env=driver).ok()
    assert build.podpy.ok("run", "--rm", made, "ls", "/d", env=driver) == "new"
