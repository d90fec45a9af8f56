"""Digests of a context's files that are kept between builds: never a wrong one, and never many."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from podpy.storage import file_digests
from podpy.storage.file_digests import FileDigests

MINUTE = 60_000_000_000
ONE, TWO = b"1" * 32, b"2" * 32


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """A store's directory."""
    (tmp_path / "store").mkdir()
    return tmp_path / "store"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A directory with some files, on a file system that digests are kept for."""
    (tmp_path / "root").mkdir()
    for name in ("a", "b", "c"):
        (tmp_path / "root" / name).write_text(name)
    return tmp_path / "root"


def later() -> int:
    """Return a time at which what exists now has been left alone for a minute."""
    return time.time_ns() + MINUTE + MINUTE // 60


def kept(store: Path, root: Path, **digests: bytes) -> None:
    """Keep digests of files by name."""
    opened = FileDigests(os.fspath(store), os.fspath(root))
    for name, digest in digests.items():
        status = os.stat(root / name)
        if opened.known(status) is None:
            opened.put(status, digest, before=later())
    opened.save()


def known(store: Path, root: Path, name: str) -> bytes | None:
    """Return what the next build knows of a file."""
    return FileDigests(os.fspath(store), os.fspath(root)).known(os.stat(root / name))


def test_a_file_that_is_as_it_was_is_known(store: Path, root: Path) -> None:
    kept(store, root, a=ONE, b=TWO)
    assert (known(store, root, "a"), known(store, root, "b"), known(store, root, "c")) == (ONE, TWO, None)


def test_a_change_is_seen_whatever_its_size_and_mtime(store: Path, root: Path) -> None:
    kept(store, root, a=ONE)
    before = os.stat(root / "a")
    (root / "a").write_text("x")
    os.utime(root / "a", ns=(before.st_atime_ns, before.st_mtime_ns))
    after = os.stat(root / "a")
    assert (after.st_size, after.st_mtime_ns, after.st_ino) == (before.st_size, before.st_mtime_ns, before.st_ino)
    assert known(store, root, "a") is None


def test_another_file_of_the_same_name_is_another(store: Path, root: Path) -> None:
    kept(store, root, a=ONE)
    os.rename(root / "b", root / "a")
    assert known(store, root, "a") is None


def test_a_file_that_was_changed_less_than_a_minute_before_is_read_again(store: Path, root: Path) -> None:
    opened = FileDigests(os.fspath(store), os.fspath(root))
    status = os.stat(root / "a")
    assert opened.known(status) is None
    opened.put(status, ONE, before=status.st_ctime_ns + MINUTE - 1)
    opened.save()
    assert not (store / "digests").exists()


def test_a_file_of_times_to_come_is_read_again(store: Path, root: Path) -> None:
    os.utime(root / "a", (2_000_000_000 * 2, 2_000_000_000 * 2))
    kept(store, root, a=ONE)
    assert known(store, root, "a") is None


def test_what_is_in_memory_is_read_again(store: Path) -> None:
    shared = Path("/dev/shm") / f"podpy-digests-{os.getpid()}"
    shared.write_text("x")
    try:
        opened = FileDigests(os.fspath(store), "/dev/shm")
        status = os.stat(shared)
        assert opened.known(status) is None
        opened.put(status, ONE, before=later())
        opened.save()
        assert not (store / "digests").exists()
    finally:
        shared.unlink()


def test_two_builds_at_once_keep_what_both_have_read(store: Path, root: Path) -> None:
    first, second = (FileDigests(os.fspath(store), os.fspath(root)) for _ in range(2))
    for opened, name, digest in ((first, "a", ONE), (second, "b", TWO)):
        status = os.stat(root / name)
        assert opened.known(status) is None
        opened.put(status, digest, before=later())
    first.save()
    second.save()
    assert (known(store, root, "a"), known(store, root, "b")) == (ONE, TWO)


@pytest.mark.parametrize("change", ["short", "long", "byte", "empty", "gone", "directory"])
def test_records_that_arent_whole_are_left_out(store: Path, root: Path, change: str) -> None:
    kept(store, root, a=ONE, b=TWO)
    (path,) = (store / "digests").iterdir()
    data = path.read_bytes()
    changed = {"short": data[:-72], "long": data + data[-72:], "byte": data[:-1] + b"3", "empty": b""}
    if change in changed:
        path.write_bytes(changed[change])
    else:
        path.unlink()
    if change == "directory":
        path.mkdir()
    assert known(store, root, "a") is None
    kept(store, root, a=ONE)
    assert known(store, root, "a") == (None if change == "directory" else ONE)


def test_digests_of_files_that_are_gone_dont_pile_up(store: Path, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_digests, "_FEW", 0)
    kept(store, root, a=ONE, b=TWO, c=ONE)
    size = file_digests.size(os.fspath(store))
    os.unlink(root / "b")
    os.unlink(root / "c")
    (root / "d").write_text("d")
    opened = FileDigests(os.fspath(store), os.fspath(root))
    assert opened.known(os.stat(root / "d")) is None
    opened.put(os.stat(root / "d"), TWO, before=later())
    opened.save()
    assert file_digests.size(os.fspath(store)) < size


def test_there_are_never_more_than_the_most(store: Path, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_digests, "MOST_FILES", 2)
    kept(store, root, a=ONE, b=ONE, c=ONE)
    assert [known(store, root, name) for name in "abc"].count(ONE) == 2


def test_the_directory_that_was_built_last_stays(store: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_digests, "MOST_BYTES", 300)
    for number in range(4):
        root = tmp_path / f"root{number}"
        root.mkdir()
        (root / "a").write_text("a")
        kept(store, root, a=ONE)
        for age, path in enumerate(sorted((store / "digests").iterdir(), key=lambda path: -path.stat().st_mtime_ns)):
            os.utime(path, (1000 - age, 1000 - age))
    assert [known(store, tmp_path / f"root{number}", "a") for number in range(4)] == [None, None, ONE, ONE]
    assert file_digests.size(os.fspath(store)) <= 300


def test_a_store_that_cant_be_written_changes_nothing(tmp_path: Path, root: Path) -> None:
    (tmp_path / "file").write_text("")
    kept(tmp_path / "file", root, a=ONE)
    assert known(tmp_path / "file", root, "a") is None


def test_only_the_owner_may_read_or_write_them(store: Path, root: Path) -> None:
    kept(store, root, a=ONE)
    (path,) = (store / "digests").iterdir()
    assert (path.stat().st_mode & 0o777, (store / "digests").stat().st_mode & 0o777) == (0o600, 0o700)
    size = path.stat().st_size
    assert file_digests.remove(os.fspath(store), dry_run=True) == size and path.exists()
    assert file_digests.remove(os.fspath(store)) == size and not path.exists()
