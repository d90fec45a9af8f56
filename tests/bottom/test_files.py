"""A file is replaced as a whole, by one call at a time, and nothing is left beside it."""

from __future__ import annotations

import os
import resource
import signal
from pathlib import Path

import pytest

from podpy import files


@pytest.mark.parametrize("lasting", [False, True])
def test_the_new_file_has_its_content_and_mode_whatever_the_umask(tmp_path: Path, lasting: bool) -> None:
    path = tmp_path / "x"
    before = os.umask(0o077)
    try:
        files.replace(os.fspath(path), "one\n", 0o644, lasting=lasting)
        files.replace(os.fspath(path), b"two\n", 0o640, lasting=lasting)
    finally:
        os.umask(before)
    assert path.read_text() == "two\n"
    assert path.stat().st_mode & 0o7777 == 0o640
    assert os.listdir(tmp_path) == ["x"]


def test_what_a_killed_call_left_aside_is_taken_over(tmp_path: Path) -> None:
    (tmp_path / "x.new").write_text("a long text of a call that was killed")
    files.replace(os.fspath(tmp_path / "x"), "short")
    assert (tmp_path / "x").read_text() == "short"
    assert os.listdir(tmp_path) == ["x"]


def test_calls_at_once_follow_one_another(tmp_path: Path) -> None:
    """Every reader meets one writer's whole file."""
    path = tmp_path / "x"
    children = []
    for number in range(4):
        child = os.fork()
        if child == 0:
            for _ in range(100):
                files.replace(os.fspath(path), str(number) * 20_000)
            os._exit(0)
        children.append(child)
    while children:
        found, status = os.waitpid(-1, os.WNOHANG)
        if found:
            assert status == 0
            children.remove(found)
        text = files.read_small(os.fspath(path))
        assert text == text[:1] * 20_000 or not text
    assert os.listdir(tmp_path) == ["x"]


def test_a_full_disk_leaves_the_old_file_and_nothing_aside(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text("old")
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        try:
            files.replace(os.fspath(path), b"x" * 5000)
        except OSError as error:
            os._exit(7 if error.filename == os.fspath(path) else 8)
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["x"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make another user's file")
def test_somebody_elses_file_aside_is_not_written_to(tmp_path: Path) -> None:
    """In a directory that others may write to, they would read what is meant for one user."""
    aside = tmp_path / "x.new"
    aside.touch()
    os.chown(aside, 12345, 12345)
    with pytest.raises(PermissionError):
        files.replace(os.fspath(tmp_path / "x"), "a password")
    assert aside.read_text() == ""
    aside.unlink()
    aside.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic links"):
        files.replace(os.fspath(tmp_path / "x"), "a password")
    assert not (tmp_path / "elsewhere").exists()


def test_what_cannot_be_read_is_empty(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"ab\xffcd")
    assert files.read_small(os.fspath(tmp_path / "none")) == ""
    assert files.read_small(os.fspath(tmp_path)) == ""
    assert files.read_small(os.fspath(tmp_path / "x"), 3) == "ab\udcff"
    with pytest.raises(FileNotFoundError):
        files.read(os.fspath(tmp_path / "none"))


def test_an_error_names_the_file_that_was_asked_for(tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere/x", tmp_path):
        with pytest.raises(OSError, match=f": '{path}'$"):
            files.replace(os.fspath(path), "text")


@pytest.mark.parametrize("is_read", [False, True])
def test_a_fifo_in_the_way_is_an_error_and_not_waited_for(tmp_path: Path, is_read: bool) -> None:
    aside = tmp_path / "x.new"
    os.mkfifo(aside)
    reader = os.open(aside, os.O_RDONLY | os.O_NONBLOCK) if is_read else -1
    with pytest.raises(OSError) as caught:
        files.replace(os.fspath(tmp_path / "x"), "new")
    assert caught.value.filename == os.fspath(aside)
    assert os.listdir(tmp_path) == ["x.new"]
    if is_read:
        os.close(reader)
