"""Which configuration files are read, and in which order: the examples of containers-config(5)."""

from __future__ import annotations

from pathlib import Path

import pytest

from podpy.config import load_order, registries_d, storage_conf
from podpy.config.paths import Paths
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


def test_directories_without_a_main_file(directories: Path) -> None:
    """registries.d and certs.d: a later one has precedence."""

    def shown(uid: int | None) -> list[str]:
        found = load_order.directories("certs", uid, str(directories / "own"))
        return [path.removeprefix(f"{directories}/") for path in found]

    assert shown(0) == [
        *("usr/certs.d", "usr/certs.rootful.d", "etc/certs.d", "etc/certs.rootful.d", "own/certs.d"),
    ]
    assert shown(7) == [
        *("usr/certs.d", "usr/certs.rootless.d", "usr/certs.rootless.d/7"),
        *("etc/certs.d", "etc/certs.rootless.d", "etc/certs.rootless.d/7", "own/certs.d"),
    ]


def test_registries_d_of_all_directories_count(directories: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(directories / "own"))
    for name, lookaside in (
        ("usr/registries.d/a.yaml", "https://usr-a"),
        ("etc/registries.rootless.d/b.yaml", "https://etc-b"),
        ("own/containers/registries.d/a.yaml", "https://own-a"),
    ):
        (directories / name).parent.mkdir(parents=True)
        (directories / name).write_text(f"docker:\n  {name[-6]}.example: {{lookaside: '{lookaside}'}}\n")
    found = registries_d.load("/nowhere", 1000)
    assert {scope: section.lookaside for scope, section in found.sections.items()} == {
        "a.example": "https://own-a",
        "b.example": "https://etc-b",
    }


def test_podmans_graph_root_is_in_any_of_its_files(directories: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage_conf, "_SYSTEM", (str(directories / "etc/storage.conf"),))
    paths = Paths(
        graphroot="/g", runroot="/r", rootless=True, uid=7, gid=7, home="/h", config_dirs=("/c",), boot_id="b"
    )
    environ = {"XDG_CONFIG_HOME": str(directories / "own"), "XDG_DATA_HOME": "/data"}

    def graphroot() -> str:
        return storage_conf.graphroot_of_podman(paths, environ)

    def say(name: str, text: str) -> None:
        (directories / name).parent.mkdir(parents=True, exist_ok=True)
        (directories / name).write_text(f"[storage]\n{text}\n")

    assert graphroot() == "/data/containers/storage"
    say("etc/storage.conf", 'graphroot = "/roots"\nrootless_storage_path = "/users/$UID"')
    assert graphroot() == "/users/7"
    say("usr/storage.rootless.conf.d/7/1.conf", 'graphroot = "/mine"')
    assert graphroot() == "/mine"
    say("own/containers/storage.conf.d/2.conf", 'graphroot = "/own"')
    assert graphroot() == "/own"
    say("over", 'graphroot = "/over"')
    environ["CONTAINERS_STORAGE_CONF_OVERRIDE"] = str(directories / "over")
    assert graphroot() == "/over"
