"""New files in a user's directory: where the file system has no O_TMPFILE, they have a name from the beginning."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from threading import Event

import pytest

from podpy.errors import ImageError
from podpy.image.archive.outfile import NewFile, write_file
from podpy.storage.layers.writeback import STEP


@pytest.fixture
def plain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory, and a kernel that takes O_TMPFILE for O_DIRECTORY, as one without it does (open(2))."""
    monkeypatch.setattr(os, "O_TMPFILE", os.O_DIRECTORY)
    return tmp_path


def test_a_file_is_whole_or_not_there(plain: Path) -> None:
    target = plain / "x"
    with NewFile(str(target)) as file:
        file.write(b"one")
        assert not target.exists()
        assert [path.name.startswith(".podpy-new-") for path in plain.iterdir()] == [True]
    assert target.read_bytes() == b"one"
    with pytest.raises(KeyError), NewFile(str(target)) as file:
        file.write(b"two")
        raise KeyError
    write_file(str(plain / "y"), b"two")
    assert {path.name: path.read_bytes() for path in plain.iterdir()} == {"x": b"one", "y": b"two"}


def test_what_a_living_call_writes_stays_and_what_a_killed_one_has_left_goes(plain: Path) -> None:
    (plain / ".podpy-new-left").write_bytes(b"half")
    with NewFile(str(plain / "x")) as first:
        assert not (plain / ".podpy-new-left").exists()
        first.write(b"first")
        write_file(str(plain / "x"), b"second")
    assert {path.name: path.read_bytes() for path in plain.iterdir()} == {"x": b"first"}


def test_a_failing_sync_is_told_unless_something_else_went_wrong_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tried = Event()

    def sync(descriptor: int) -> None:
        tried.set()
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "fdatasync", sync)
    data = bytes(STEP)
    with pytest.raises(ImageError, match="Input/output error"), NewFile(str(tmp_path / "x")) as file:
        file.write(data)
        assert tried.wait(60)
    tried.clear()
    with pytest.raises(KeyError), NewFile(str(tmp_path / "x")) as file:
        file.write(data)
        assert tried.wait(60)
        raise KeyError
    assert list(tmp_path.iterdir()) == []


def test_a_directory_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="no such file or directory"):
        write_file(str(tmp_path / "nothing/x"), b"")
