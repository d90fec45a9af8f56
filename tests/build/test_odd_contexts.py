"""Contexts with what nobody expects in them: names of any bytes, sockets, what can't be read, very many files."""

from __future__ import annotations

import os
import socket
import tracemalloc
from pathlib import Path

import pytest

from podpy.build.steps.tree import Stamps
from tests.build.building import Builder

BYTES = os.fsdecode(b"n\xff\xfe")


def test_names_may_be_any_bytes(build: Builder) -> None:
    build.write({f"d/{BYTES}": "x"})
    os.symlink(b"\xfe/target", os.path.join(os.fsencode(build.context), b"d/link"))
    made = build.ok("COPY d /d\n")
    assert {"d", f"d/{BYTES}", "d/link"} <= {*build.files(made)}
    assert build.files(made)["d/link"].linkname == os.fsdecode(b"\xfe/target")
    assert f"d/{BYTES}" not in build.files(build.ok(f"COPY --exclude={BYTES} d /d\n"))
    assert BYTES in build.files(build.ok(f"COPY d/{BYTES} /\n"))
    assert f"x{BYTES}" in build.files(build.ok(f"COPY d/n* /x{BYTES}\n"))
    assert f"y/{BYTES}" in build.files(build.ok(f"COPY <<{BYTES} /y/\nhallo\n{BYTES}\n"))


@pytest.fixture
def listening(build: Builder) -> Path:
    """A socket in the context's directory d."""
    build.write({"d/file": "x"})
    target = build.context / "d/socket"
    here = os.open(target.parent, os.O_PATH)  # bind takes 108 bytes
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(f"/proc/self/fd/{here}/socket")
    finally:
        os.close(here)
    return target


def test_sockets_stay_out(build: Builder, listening: Path) -> None:
    made = build.ok("COPY d /d\n")
    assert {name for name in build.files(made) if name.startswith("d/")} == {"d/file"}
    listening.unlink()
    assert build("COPY d /d\n").ok().count("--> Using cache ") == 1


def test_a_socket_alone_is_refused(build: Builder, listening: Path) -> None:
    build("COPY d/socket /s\n").fails(125, 'building at STEP "COPY d/socket /s"', "a socket can't be in an image")


@pytest.mark.parametrize("name", ["secret", "locked"])
def test_what_can_t_be_read_is_told_with_its_path(build: Builder, name: str) -> None:
    if build.podpy.is_root:
        return  # who may read everything
    build.write({"d/secret": "x", "d/locked/file": "x"})
    os.chown(build.context / "d" / name, 0, 0)
    os.chmod(build.context / "d" / name, 0)
    build("COPY d /d\n").fails(125, f'building at STEP "COPY d /d": open d/{name}: permission denied', "line 2 of ")
    build.write({".dockerignore": f"d/{name}\n"})
    assert build("COPY d /d\n").ok()


def test_a_fifo_is_copied_and_never_opened(build: Builder) -> None:
    build.write({"d/file": "x"})
    os.mkfifo(build.context / "d/fifo")
    assert build.files(build.ok("COPY d /d\n"))["d/fifo"].isfifo()


def test_a_million_files_are_remembered_in_40_mb(tmp_path: Path) -> None:
    (tmp_path / "f").write_text("")
    status = os.stat(tmp_path / "f")
    others = [os.stat_result([*status[:6], size, *status[7:]]) for size in range(1, 20_001)]
    tracemalloc.start()
    try:
        stamps = Stamps()
        for other in others:
            stamps.add(other)
        assert stamps.has(others[0]) and stamps.has(others[-1]) and not stamps.has(status)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 20_000 * 60  # 60 bytes for each at the moment of sorting
    stamps.add(status)
    assert stamps.has(status) and stamps.has(others[5])
