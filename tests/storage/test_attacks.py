"""Layers that try to reach outside: what lies beside the target must stay as it was."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from podpy.errors import StorageError
from tests.storage.tars import Tar
from tests.storage.test_unpack import unpack
from tests.storage.userns import in_userns, own_directory


def absolute_link(outside: Path) -> Tar:
    return Tar().symlink("out", str(outside)).file("out/evil", b"evil")


def relative_link(_outside: Path) -> Tar:
    return Tar().symlink("out", "../outside").file("out/evil", b"evil").file("out/victim", b"evil")


def dotdot_name(_outside: Path) -> Tar:
    return Tar().file("../outside/evil", b"evil")


def dotdot_inside(_outside: Path) -> Tar:
    return Tar().directory("d").file("d/../../outside/evil", b"evil")


def absolute_name(outside: Path) -> Tar:
    return Tar().file(f"{outside}/evil", b"evil")


def hardlink_out(outside: Path) -> Tar:
    return Tar().hardlink("stolen", f"{outside}/victim")


def hardlink_dotdot(_outside: Path) -> Tar:
    return Tar().hardlink("stolen", "../outside/victim")


def hardlink_through_link(outside: Path) -> Tar:
    return Tar().symlink("out", str(outside)).hardlink("stolen", "out/victim")


def directory_becomes_link(_outside: Path) -> Tar:
    return Tar().directory("d").file("d/a", b"a").symlink("d", "../outside").file("d/evil", b"evil")


def overwrite_through_link(outside: Path) -> Tar:
    return Tar().symlink("f", f"{outside}/victim").file("f", b"evil")


def chmod_through_link(outside: Path) -> Tar:
    return (
        Tar()
        .symlink("d", str(outside))
        .directory("d", mode=0o777, uid=9)
        .symlink("e", str(outside))
        .hardlink("e2", "e", mode=0o777, uid=9)
    )


def whiteout_outside(_outside: Path) -> Tar:
    return Tar().symlink("out", "../outside").file("out/.wh.victim", b"").file("out/.wh..wh..opq", b"")


def proc_link(_outside: Path) -> Tar:
    return Tar().symlink("p", "/proc/self/root").file("p/tmp/evil", b"evil")


ATTACKS = [
    absolute_link,
    relative_link,
    dotdot_name,
    dotdot_inside,
    absolute_name,
    hardlink_out,
    hardlink_dotdot,
    hardlink_through_link,
    directory_becomes_link,
    overwrite_through_link,
    chmod_through_link,
    whiteout_outside,
    proc_link,
]


def facts(path: Path) -> tuple[int, ...]:
    """What an attack could change; not the access time, which looking changes."""
    status = path.lstat()
    owner = (status.st_mode, status.st_uid, status.st_gid)
    return (*owner, status.st_nlink, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.__name__)
@in_userns
def test_nothing_outside_is_touched(attack: object) -> None:
    with own_directory() as base:
        outside, target = base / "outside", base / "target"
        outside.mkdir(mode=0o750)
        target.mkdir()
        (outside / "victim").write_text("untouched")
        before = [facts(outside), facts(outside / "victim")]
        try:
            unpack(attack(outside).bytes(), target)  # type: ignore[operator]
        except StorageError:
            pass
        assert os.listdir(outside) == ["victim"]
        assert (outside / "victim").read_text() == "untouched"
        assert [facts(outside), facts(outside / "victim")] == before
        assert not os.path.exists("/tmp/evil")


@pytest.mark.parametrize("attack", [dotdot_name, dotdot_inside, hardlink_dotdot], ids=lambda attack: attack.__name__)
@in_userns
def test_dotdot_is_refused_by_name(attack: object) -> None:
    with own_directory() as target, pytest.raises(StorageError, match=r"reaches outside"):
        unpack(attack(target).bytes(), target)  # type: ignore[operator]
