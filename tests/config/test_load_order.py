"""Which configuration files are read, and in which order: the examples of containers-config(5)."""

from __future__ import annotations

from pathlib import Path

import pytest

from podpy.config import load_order
from podpy.errors import ConfigError


@pytest.fixture
def directories(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put the system's directories below a directory, and return that."""
    monkeypatch.setattr(load_order, "SYSTEM_DIRECTORIES", (str(tmp_path / "etc"), str(tmp_path / "usr")))
    return tmp_path


def order(directory: Path, uid: int | None, *names: str) -> list[str]:
    """Make these files, and return which are read."""
    for name in names:
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        (directory / name).touch()
    own = "" if uid == 0 else str(directory / "own")
    return [path.removeprefix(f"{directory}/") for path in load_order.in_order("containers", uid, own)]


def test_one_main_file_and_drop_ins_by_name(directories: Path) -> None:
    assert order(
        directories,
        1000,
        "usr/containers.conf",
        "own/containers.conf",
        "usr/containers.conf.d/00-vendor.conf",
        "etc/containers.conf.d/50-mine.conf",
        "own/containers.conf.d/50-mine.conf",
        "usr/containers.conf.d/99-last.conf",
        "usr/containers.conf.d/99-last.txt",
    ) == [
        "own/containers.conf",
        "usr/containers.conf.d/00-vendor.conf",
        "own/containers.conf.d/50-mine.conf",
        "usr/containers.conf.d/99-last.conf",
    ]


def test_drop_ins_for_root_for_users_and_for_one_user(directories: Path) -> None:
    files = [
        "etc/containers.conf",
        "usr/containers.conf",
        "etc/containers.rootful.conf.d/1.conf",
        "usr/containers.rootless.conf.d/2.conf",
        "etc/containers.rootless.conf.d/1000/3.conf",
        "etc/containers.rootless.conf.d/1001/4.conf",
        "usr/containers.conf.d/5.conf",
    ]
    assert order(directories, 0, *files) == [files[0], files[2], files[6]]
    assert order(directories, 1000) == [files[0], files[3], files[4], files[6]]
    assert order(directories, None) == [files[0], files[6]]


def test_a_directory_that_is_hidden_is_no_empty_one(directories: Path) -> None:
    """It may forbid something."""
    assert order(directories, 1000) == []
    loop = directories / "etc/containers.conf.d"
    loop.parent.mkdir()
    loop.symlink_to(loop)
    with pytest.raises(ConfigError, match=r"etc/containers\.conf\.d: Too many levels of symbolic links"):
        order(directories, 1000)
