"""Volumes' options, and renames that are cut off."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from podpy import linux
from podpy.errors import NotSupportedError, PodpyError, StorageError, UsageError
from podpy.storage.volumes import driver
from podpy.storage.volumes.table import VolumeTable
from podpy.storage.volumes.volume import Volume
from tests.storage.stores import own_store
from tests.storage.tars import Tar
from tests.storage.userns import in_userns


def test_ids_and_size_in_o_are_shown_twice_as_by_podman() -> None:
    read = driver.read({"type": "tmpfs", "device": "tmpfs", "o": "size=1m,uid=5,gid=7,nodev,timeout=3"})
    assert read.shown == {
        "type": "tmpfs", "device": "tmpfs", "o": "size=1m,uid=5,gid=7,nodev", "SIZE": "1m", "UID": "5", "GID": "7",
    }  # fmt: skip
    assert (read.uid, read.gid) == (5, 7)
    assert driver.read({"o": "noquota,timeout=3"}).shown == {"NOQUOTA": "true"}


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"foo": ""}, "invalid mount option foo for driver 'local': invalid argument"),
        ({"o": "uid"}, "uid option must provide a UID: invalid argument"),
        ({"o": "uid=x"}, 'cannot convert UID x to integer: strconv.Atoi: parsing "x": invalid syntax'),
        ({"o": "gid=4294967295"}, "cannot convert GID 4294967295 to integer"),
        ({"o": "size=1x"}, "cannot convert size 1x to integer: invalid size: '1x'"),
        ({"o": "inodes=²"}, "cannot convert inodes ² to integer"),
        ({"o": "timeout=-1"}, "volume timeout cannot be negative (got -1)"),
        ({"o": "size=1m,noquota"}, "volume options size and inodes cannot be used without quota"),
        ({"type": "tmpfs", "o": "inodes=5"}, "volume option inodes not supported on tmpfs filesystem"),
    ],
)
def test_invalid_options_of_a_driver_are_refused(options: dict[str, str], told: str) -> None:
    with pytest.raises(UsageError) as caught:
        driver.read(options)
    assert told in str(caught.value)


def test_quotas_are_refused() -> None:
    for option in ("size=1m", "inodes=10"):
        with pytest.raises(NotSupportedError, match="does not support Project Quota"):
            driver.read({"o": option})


@pytest.mark.parametrize(
    ("options", "needed"),
    [
        ({}, False),
        ({"UID": "5", "o": "uid=5"}, False),
        ({"nocopy": ""}, False),
        ({"NOQUOTA": "true"}, False),
        ({"o": "nodev"}, True),
        ({"UID": "5", "o": "uid=5,nodev"}, True),
        ({"type": "tmpfs"}, True),
        ({"device": "/d", "o": "bind"}, True),
    ],
)
def test_only_some_options_need_a_mount(options: dict[str, str], needed: bool) -> None:
    assert driver.needs_mount(options) is needed


def test_options_become_the_arguments_of_a_mount() -> None:
    made = driver.request({"type": "tmpfs", "device": "tmpfs", "o": "size=1m,uid=5,nodev,rw,noexec"})
    assert (made.source, made.type, made.data) == ("tmpfs", "tmpfs", "size=1m,uid=5")
    assert made.flags == linux.MS_NODEV | linux.MS_NOEXEC and not made.bind
    bound = driver.request({"type": "none", "device": "/srv/a b", "o": "rbind,ro"})
    assert (bound.source, bound.flags, bound.bind, bound.recursive) == ("/srv/a b", linux.MS_RDONLY, True, True)
    assert driver.request({"type": "bind", "device": "/d"}).bind
    for impossible in ({"o": "nodev"}, {"type": "bind", "device": "d"}, {"device": "tmpfs"}):
        with pytest.raises(StorageError):
            driver.request(impossible)


@in_userns
def test_a_killed_rename_is_undone_unless_it_was_committed() -> None:
    with own_store() as store:
        volumes = VolumeTable(store.paths, store.database)
        Path(volumes.create("old").mountpoint, "file").write_text("x")
        child = os.fork()
        if child == 0:
            os.environ["PODPY_CRASH_AT"] = "volume:renamed"
            volumes.rename("old", "new")
            os._exit(0)
        assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL
        root = Path(store.graphroot, "volumes")
        assert (root / "new").exists() and not (root / "old").exists()
        assert [v.name for v in volumes.all()] == ["old"]
        assert os.listdir(root) == ["old"] and os.listdir(volumes.find("old").mountpoint) == ["file"]

        volumes.rename("old", "new")
        os.symlink("old/new", root / ".renaming")  # the call was killed after its commit
        assert os.listdir(volumes.find("new").mountpoint) == ["file"] and os.listdir(root) == ["new"]
        assert store.check() == []


@in_userns
def test_a_volume_is_renamed_only_while_it_is_unused() -> None:
    with own_store() as store:
        volumes = VolumeTable(store.paths, store.database)
        volumes.create("a", anonymous=True)
        volumes.create("b")
        for new, told in (("b", "volume with name b already exists"), ("-", "names must match"), ("", "names must")):
            with pytest.raises(PodpyError, match=told):
                volumes.rename("a", new)
        volumes.rename("a", "c")
        assert [(v.name, v.anonymous) for v in volumes.all()] == [("c", False), ("b", False)]


@in_userns
def test_a_volume_that_another_call_just_created_is_used() -> None:
    with own_store() as store:
        volumes, others = (VolumeTable(store.paths, store.database) for _ in range(2))
        create = volumes.create

        def late(name: str, **how: Any) -> Volume:
            others.create(name, labels={"made": "first"})
            return create(name, **how)

        volumes.create = late  # type: ignore[method-assign]
        assert volumes.ensure("v").labels == {"made": "first"} == volumes.find("v").labels
        assert [volume.name for volume in volumes.all()] == ["v"]


@in_userns
def test_an_import_first_finishes_a_killed_import() -> None:
    with own_store() as store:
        volumes = VolumeTable(store.paths, store.database)
        volume = volumes.create("v")
        home = Path(volume.mountpoint).parent

        def pieces() -> Iterator[bytes]:
            yield Tar().file("ours", b"x").bytes()
            (home / "import").mkdir()
            (home / "import/theirs").write_text("x")

        volumes.receive(volume, pieces())
        assert (sorted(os.listdir(volume.mountpoint)), os.listdir(home)) == (["ours", "theirs"], ["_data"])


@in_userns
@pytest.mark.parametrize("committed", [True, False])
def test_an_interrupt_leaves_a_complete_volume_or_none(committed: bool) -> None:
    with own_store() as store:
        volumes = VolumeTable(store.paths, store.database)
        Path(volumes.create("v").mountpoint, "file").write_text("x")

        def interrupt(*_: object) -> bool:
            raise KeyboardInterrupt

        if committed:
            store.database.on_events = interrupt
        else:
            store.database.keeps_events = interrupt
        with pytest.raises(KeyboardInterrupt):
            volumes.remove("v")
        store.database.on_events = store.database.keeps_events = None
        assert [volume.name for volume in volumes.all()] == ([] if committed else ["v"])
        assert os.path.exists(os.path.join(volumes.mountpoint("v"), "file")) is not committed
        assert store.check() == []


@in_userns
def test_an_import_is_on_the_disk_before_it_takes_the_place_of_something() -> None:
    there_at_syncs = []
    syncfs = linux.syncfs
    with own_store() as store:
        volumes = VolumeTable(store.paths, store.database)
        data = volumes.create("data")
        file = Path(data.mountpoint, "d/file")

        def watch(descriptor: int) -> None:
            there_at_syncs.append(file.read_bytes())
            syncfs(descriptor)

        linux.syncfs = watch
        volumes.receive(data, [Tar().directory("d").file("d/file", b"old").bytes()])
        volumes.receive(data, [Tar().directory("other").bytes()])
        assert there_at_syncs == [], "nothing could be lost"
        volumes.receive(data, [Tar().file("d/file", b"new").bytes()])
        assert there_at_syncs == [b"old"] and file.read_bytes() == b"new"
