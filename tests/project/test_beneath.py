"""podpy.beneath: a path in a tree that others can change is looked up once, and then its descriptor is used."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from podpy import beneath, linux


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A tree with links that stay in it, that leave it, and that lead nowhere."""
    top = tmp_path / "top"
    (top / "a/b").mkdir(parents=True)
    (top / "a/b/file").write_text("inside")
    (tmp_path / "file").write_text("outside")
    for name, target in {
        "inner": "a/b", "absolute": "/a/b", "up": "..", "deep": "a/../../file", "loop": "loop", "dangling": "a/new/x",
        "proc": "/proc/self/fd",
    }.items():  # fmt: skip
        (top / name).symlink_to(target)
    return top


def text_of(descriptor: int) -> str:
    """Return what a file has in it; its descriptor is closed."""
    try:
        return Path(beneath.magic_path(descriptor)).read_text()
    finally:
        os.close(descriptor)


def test_a_path_beneath_follows_links_that_stay(tree: Path) -> None:
    for path in ("a/b/file", "inner/file", "./a/../a/b/file"):
        assert text_of(beneath.open_beneath(str(tree), path)) == "inside"


@pytest.mark.parametrize("path", ["..", "up", "up/file", "deep", "absolute/file", "/a/b", "a/../../file", "loop"])
def test_a_path_that_leaves_is_refused(tree: Path, path: str) -> None:
    with pytest.raises(OSError) as caught:
        beneath.open_beneath(str(tree), path)
    assert caught.value.errno in (errno.EXDEV, errno.ELOOP)


def test_in_a_root_every_path_stays_inside(tree: Path) -> None:
    for path in ("/a/b/file", "absolute/file", "../../a/b/file", "up/a/b/file"):
        assert text_of(beneath.open_in_root(str(tree), path, os.O_RDONLY)) == "inside"
    with pytest.raises(FileNotFoundError):
        beneath.open_in_root(str(tree), "deep", os.O_PATH)
    with pytest.raises(OSError, match="symbolic links"):
        beneath.open_in_root(str(tree), "inner", os.O_PATH, resolve=linux.RESOLVE_NO_SYMLINKS)


@pytest.mark.parametrize(
    ("path", "real"),
    [
        ("/inner/file", "/a/b/file"),
        ("absolute/new", "/a/b/new"),
        ("/up/../up/x", "/x"),
        ("dangling/y", "/a/new/x/y"),
        ("/nowhere/../z", "/z"),
        ("/", "/"),
    ],
)
def test_the_real_path_is_known_of_what_is_not_there_too(tree: Path, path: str, real: str) -> None:
    assert beneath.real_path(str(tree), path) == real


def test_links_below_what_covers_them_are_not_seen(tree: Path) -> None:
    assert beneath.real_path(str(tree), "/absolute/new", covered=["/"]) == "/absolute/new"
    (tree / "a/link").symlink_to("/inner")
    assert beneath.real_path(str(tree), "/a/link/x", covered=["/a"]) == "/a/link/x"
    assert beneath.real_path(str(tree), "/a/link/x", covered=["/a/b"]) == "/a/b/x"


def test_a_place_is_made_inside_where_no_link_is_followed(tree: Path) -> None:
    top = os.open(tree, os.O_PATH)
    owner = (os.geteuid(), os.getegid())
    for path, directory in (("new/dir", True), ("new/file", False), ("a/b", True), ("absolute", False)):
        place = beneath.make_inside(top, path, owner=owner, directory=directory)
        assert os.readlink(f"/proc/self/fd/{place}") == f"{tree}/{path}", "for a file, a link is a place itself"
        os.close(place)
    assert (tree / "new/dir").is_dir() and (tree / "new/file").is_file()
    for path, directory, where in (("inner/x", True, "inner"), ("inner", True, "inner"), ("a/b", False, "a/b")):
        with pytest.raises(FileExistsError) as caught:
            beneath.make_inside(top, path, owner=owner, directory=directory)
        assert caught.value.filename == where
    for path in ("a/../x", "", "."):
        with pytest.raises(FileNotFoundError):
            beneath.make_inside(top, path, owner=owner, directory=False)
    os.close(top)


def test_what_somebody_else_puts_in_the_place_of_a_new_directory_keeps_its_owner(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs, given = tree / "theirs", []
    theirs.mkdir()
    (theirs / "file").touch()

    def make(name: str, mode: int, *, dir_fd: int) -> None:
        theirs.rename(tree / name)

    monkeypatch.setattr(os, "mkdir", make)
    monkeypatch.setattr(beneath, "give", lambda descriptor, uid, gid: given.append(descriptor))
    top = os.open(tree, os.O_PATH)
    os.close(beneath.make_inside(top, "new", owner=(77, 78), directory=True))
    os.close(top)
    assert given == []


def test_a_real_path_has_an_end(tree: Path) -> None:
    with pytest.raises(OSError, match="symbolic links"):
        beneath.real_path(str(tree), "loop/x")


def test_links_are_found_at_the_end_and_on_the_way(tree: Path) -> None:
    paths = ["/inner", "inner/file", "/a/b", "a/b/file", "/loop", "/nowhere", "a/b/file/x"]
    assert beneath.links(str(tree), paths) == ["/inner", "inner/file", "/loop"]


def test_a_tree_is_given_with_its_links_and_nothing_outside(tree: Path) -> None:
    uid, gid = os.getuid(), os.getgid()
    owner = (uid, gid) if uid else (77, 78)
    top = os.open(tree, os.O_PATH)
    beneath.give_tree(top, *owner)
    os.close(top)
    paths = [tree, *tree.rglob("*")]
    assert {(path.lstat().st_uid, path.lstat().st_gid) for path in paths} == {owner}
    assert (tree.parent / "file").stat().st_uid == uid


def test_a_deep_tree_is_given_to_its_last_file(tmp_path: Path) -> None:
    owner = (77, 78) if os.getuid() == 0 else (os.getuid(), os.getgid())
    directory = top = os.open(tmp_path, os.O_RDONLY)
    for _ in range(300):
        os.mkdir("d", dir_fd=directory)
        directory, above = os.open("d", os.O_RDONLY, dir_fd=directory), directory
        if above != top:
            os.close(above)
    beneath.give_tree(top, *owner)
    status = os.fstat(directory)
    assert (status.st_uid, status.st_gid) == owner
    os.close(directory)
    os.close(top)
