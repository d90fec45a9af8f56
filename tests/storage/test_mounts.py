"""A container's root file system, mounted in every way that podpy knows."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from podpy.plan import Plan
from podpy.storage.mounts.driver import find_fuse_overlayfs
from podpy.storage.store import Store
from podpy.storage.volumes.first_use import FirstUse
from podpy.storage.volumes.table import VolumeTable
from tests.storage.stores import add_image, own_store
from tests.storage.tars import Tar
from tests.storage.userns import in_userns

CONTAINER = "c" * 64
NOBODY = (77, 78)


def image_with_whiteouts(store: Store) -> object:
    lower = Tar().directory("./", mode=0o751, uid=2).file("etc/a", b"a", uid=1000, mode=0o4755).file("etc/b", b"b")
    lower.hardlink("etc/a2", "etc/a", uid=1000, mode=0o4755).file("var/x", b"x").file("opt/f", b"f").symlink("s", "etc")
    upper = (
        Tar()
        .file("etc/.wh.b", b"")
        .directory("var")
        .file("var/.wh..wh..opq", b"")
        .file("var/y", b"y")
        .file(".wh.opt", b"")
    )
    return add_image(store, "a", [lower, upper], "localhost/x:1")


def mounted(store: Store, **options: object) -> Path:
    target = Path(store.graphroot, "mnt")
    image = store.find_image("localhost/x:1")
    Plan(*store.mount_operations(CONTAINER, image, str(target), **options)).run()  # type: ignore[arg-type]
    return target


def unmount(target: Path) -> None:
    from podpy import linux

    linux.umount2(str(target), 2)


@pytest.mark.parametrize("driver", ["overlay", "fuse-overlayfs", "vfs"])
@in_userns
def test_every_driver_shows_the_same_tree(driver: str) -> None:
    if driver == "fuse-overlayfs" and not find_fuse_overlayfs():
        pytest.skip("fuse-overlayfs isn't installed")
    os.environ["PODPY_STORAGE_DRIVER"] = driver
    with own_store() as store:
        image_with_whiteouts(store)
        target = mounted(store)
        assert store.driver == driver
        assert (target.stat().st_uid, target.stat().st_mode & 0o7777) == (2, 0o751)
        assert sorted(os.listdir(target)) == ["etc", "s", "var"]
        assert sorted(os.listdir(target / "etc")) == ["a", "a2"]
        assert os.listdir(target / "var") == ["y"]
        assert ((target / "etc/a").stat().st_uid, (target / "etc/a").stat().st_mode & 0o7777) == (1000, 0o4755)
        (target / "etc/new").write_text("new")
        (target / "etc/a").unlink()
        unmount(target)
        assert (mounted(store) / "etc/new").read_text() == "new", "it's there at the next start"
        assert sorted(os.listdir(target / "etc")) == ["a2", "new"]
        unmount(target)
        layer = Path(store.layer_path(store.find_image("localhost/x:1").layers[0]))
        assert sorted(os.listdir(layer / "etc")) == ["a", "a2", "b"], "the image is as it was"


@in_userns
def test_the_kernels_overlay_is_found_and_recorded() -> None:
    with own_store() as store:
        assert (store.driver, store.driver_options) == ("overlay", ["userxattr"])
        assert store.database.get_meta("driver") == "overlay"


@in_userns
def test_a_layer_whose_mount_was_not_synced_can_be_mounted_again() -> None:
    with own_store() as store:
        image_with_whiteouts(store)
        mark = Path(store.graphroot, "containers", CONTAINER, "work/work/incompat/volatile")
        for option in ("volatile", "brief", "volatile"):
            unmount(mounted(store, **{option: True}))
            assert mark.is_dir()
        unmount(mounted(store))
        assert not mark.exists()


@in_userns
def test_two_hundred_layers_fit() -> None:
    with own_store() as store:
        add_image(store, "a", [Tar().file(f"f{number}") for number in range(200)], "localhost/x:1")
        target = mounted(store)
        assert len(os.listdir(target)) == 200
        unmount(target)


@pytest.mark.parametrize("driver", ["overlay", "vfs"])
@in_userns
def test_a_containers_own_user_namespace_gets_shifted_layers(driver: str) -> None:
    os.environ["PODPY_STORAGE_DRIVER"] = driver
    maps = [(0, 1, 1000), (1000, 0, 1), (1001, 1001, 60000)]
    with own_store() as store:
        image_with_whiteouts(store)
        target = mounted(store, uid_maps=maps, gid_maps=maps)
        a = (target / "etc/a").stat()
        assert (a.st_uid, a.st_gid, a.st_mode & 0o7777) == (0, 1, 0o4755)
        assert a.st_ino == (target / "etc/a2").stat().st_ino
        assert target.stat().st_uid == 3
        assert sorted(os.listdir(target / "etc")) == ["a", "a2"]
        unmount(target)
        store.close()
        store.remove_image("localhost/x:1")
        assert not Path(store.graphroot, "mapped").exists() or os.listdir(Path(store.graphroot, "mapped")) == []


@in_userns
def test_copies_with_shifted_owners_are_on_the_disk_before_they_have_their_names() -> None:
    from podpy import linux

    named_at_syncs = []
    syncfs = linux.syncfs
    with own_store() as store:
        image_with_whiteouts(store)
        mapped = Path(store.graphroot, "mapped")

        def watch(descriptor: int) -> None:
            named_at_syncs.append(os.listdir(mapped))
            syncfs(descriptor)

        linux.syncfs = watch
        unmount(mounted(store, uid_maps=[(0, 1, 1000)], gid_maps=[(0, 1, 1000)]))
        assert named_at_syncs == [[]]
        assert len(os.listdir(mapped)) == 2


@pytest.mark.parametrize("option", ["", "brief", "volatile"])
@in_userns
def test_a_copy_of_the_vfs_driver_is_on_the_disk_before_it_has_its_name(option: str) -> None:
    from podpy import linux

    os.environ["PODPY_STORAGE_DRIVER"] = "vfs"
    named_at_syncs = []
    syncfs = linux.syncfs
    with own_store() as store:
        image_with_whiteouts(store)
        copy = Path(store.graphroot, "containers", CONTAINER, "vfs")

        def watch(descriptor: int) -> None:
            named_at_syncs.append(copy.exists())
            syncfs(descriptor)

        linux.syncfs = watch
        unmount(mounted(store, **{option: True} if option else {}))
        assert named_at_syncs == ([] if option == "volatile" else [False]), "a volatile one needn't be"
        assert copy.exists()


@in_userns
def test_a_directory_can_be_the_root_itself_or_below_an_overlay() -> None:
    with own_store() as store:
        root = Path(store.graphroot, "odd:name,with\\signs")
        (root / "etc").mkdir(parents=True)
        target = Path(store.graphroot, "mnt")
        Plan(*store.mount_operations(CONTAINER, None, str(target), rootfs=str(root), rootfs_overlay=True)).run()
        (target / "etc/over").write_text("o")
        unmount(target)
        assert os.listdir(root / "etc") == []
        Plan(*store.mount_operations(CONTAINER, None, str(target), rootfs=str(root))).run()
        (target / "etc/direct").write_text("d")
        unmount(target)
        assert os.listdir(root / "etc") == ["direct"]


@in_userns
def test_a_kill_while_a_volume_is_filled_leaves_it_empty_for_the_next_start() -> None:
    with own_store() as store:
        image_with_whiteouts(store)
        target = mounted(store)
        volumes = VolumeTable(store.paths, store.database)
        volume = volumes.create("data")
        child = os.fork()
        if child == 0:
            os.environ["PODPY_CRASH_AT"] = "volume:copied"
            volumes.prepare(volume, FirstUse(rootfs=str(target), target="/etc", owner=NOBODY))
            os._exit(0)
        assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL
        assert os.listdir(volume.mountpoint) == []
        volumes.prepare(volumes.find("data"), FirstUse(rootfs=str(target), target="/etc", owner=NOBODY))
        assert sorted(os.listdir(volume.mountpoint)) == ["a", "a2"]
        here, there = os.stat(volume.mountpoint), (target / "etc").stat()
        assert (here.st_uid, here.st_mode, here.st_mtime_ns) == (there.st_uid, there.st_mode, there.st_mtime_ns)
        unmount(target)


@in_userns
def test_a_new_volume_has_no_files_of_a_namesake_whose_removal_was_killed() -> None:
    with own_store() as store:
        volumes = VolumeTable(store.paths, store.database)
        Path(volumes.create("data").mountpoint, "secret").write_text("s")
        child = os.fork()
        if child == 0:
            os.environ["PODPY_CRASH_AT"] = "volume:aside"
            volumes.remove("data")
            os._exit(0)
        assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL
        assert os.listdir(volumes.ensure("data").mountpoint) == []
        volumes.remove("data")
        assert os.listdir(volumes.create("data").mountpoint) == []
        volumes.remove("data")
        store.sweep()
        assert os.listdir(Path(store.graphroot, "volumes")) == []


@in_userns
def test_an_empty_volume_gets_the_images_files_once() -> None:
    with own_store() as store:
        image_with_whiteouts(store)
        target = mounted(store)
        volumes = VolumeTable(store.paths, store.database)
        volume = volumes.create("data", labels={"a": "b"})
        volumes.prepare(
            volume, FirstUse(rootfs=str(target), target="/s", owner=NOBODY)
        )  # a link in the image: followed inside it
        assert sorted(os.listdir(volume.mountpoint)) == ["a", "a2"]
        assert os.stat(Path(volume.mountpoint, "a")).st_mode & 0o7777 == 0o4755
        os.unlink(Path(volume.mountpoint, "a"))
        os.unlink(Path(volume.mountpoint, "a2"))
        volumes.prepare(volumes.find("data"), FirstUse(rootfs=str(target), target="/etc", owner=NOBODY))
        assert not os.listdir(volume.mountpoint), "emptied by a user, it stays empty"
        other = volumes.create("other")
        volumes.prepare(other, FirstUse(rootfs=str(target), target="/nowhere", owner=NOBODY))
        assert not os.listdir(other.mountpoint)
        unmount(target)
        volumes.remove("data")
        assert [v.name for v in volumes.all()] == ["other"]
        assert not Path(volume.mountpoint).exists()


@in_userns
def test_an_empty_volume_gets_its_users_owner_until_it_has_files_or_belongs_to_root() -> None:
    with own_store() as store:
        layer = Tar().directory("mine", uid=5, gid=6, mode=0o711).file("full/f", b"")
        add_image(store, "a", [layer], "localhost/x:1")
        target = mounted(store)
        volumes = VolumeTable(store.paths, store.database)
        volumes.create("data")

        def used_by(place: str, owner: tuple[int, int], **how: bool) -> tuple[int, int]:
            use = FirstUse(rootfs=str(target), target=place, owner=owner, **how)
            volumes.prepare(volumes.find("data"), use)
            status = os.stat(volumes.mountpoint("data"))
            return status.st_uid, status.st_gid

        assert used_by("/nowhere", (0, 0)) == (0, 0)
        assert used_by("/nowhere", (77, 78)) == (77, 78)
        assert used_by("/mine", (77, 78)) == (5, 6)
        assert os.stat(volumes.mountpoint("data")).st_mode & 0o7777 == 0o711
        assert used_by("/mine", (77, 78), as_image=False) == (77, 78)
        assert used_by("/full", (3, 4), copy=False) == (0, 0), "the image's directory"
        assert used_by("/nowhere", (77, 78)) == (0, 0), "root's stays root's"
        Path(volumes.mountpoint("data"), "new").touch()
        assert used_by("/mine", (77, 78)) == (0, 0), "what somebody has filled stays"
        unmount(target)
