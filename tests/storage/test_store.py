"""Images come, share, and go; whatever is killed, the next call finds the old state or the new one."""

from __future__ import annotations

import errno
import json
import os
import time
from pathlib import Path

import pytest

from podpy.errors import DigestMismatchError, InUseError, NoSuchImageError, StorageError
from podpy.storage.database import schema
from podpy.storage.database.database import Database
from podpy.storage.images import ImageRecord
from podpy.storage.store import Store
from tests.storage.stores import add_image, open_store, own_store
from tests.storage.tars import MTIME, Tar, digest
from tests.storage.userns import in_userns, own_directory, small_filesystem

NAME = "localhost/x:latest"
CRASH_POINTS = [
    "commit:synced:before",
    "commit:synced:after",
    "commit:renamed",
    "commit:inserted",
    "commit:committed",
]


def base() -> Tar:
    return Tar().directory("./", mode=0o711, uid=4).file("etc/base", b"base")


def top(text: bytes = b"top") -> Tar:
    return Tar().file("etc/top", text)


def listing(store: Store, directory: str) -> list[str]:
    path = Path(store.graphroot, directory)
    return sorted(os.listdir(path)) if path.exists() else []


def assert_clean(store: Store) -> None:
    assert [finding.what for finding in store.check()] == []


@in_userns
def test_an_image_is_found_by_name_id_and_beginning_of_an_id() -> None:
    with own_store() as store:
        record = add_image(store, "a", [base(), top()], NAME)
        assert record.size == 7
        assert record.names == [NAME]
        for name in (NAME, "a" * 64, "sha256:" + "a" * 64, "aaaa", f"localhost/x@{record.digest}"):
            assert store.find_image(name) == record
        for name in ("b", "localhost/y:latest", f"localhost/y@{record.digest}"):
            with pytest.raises(NoSuchImageError):
                store.find_image(name)
        assert_clean(store)


@in_userns
def test_a_layers_root_keeps_its_parents_owner_and_mode() -> None:
    with own_store() as store:
        bare = add_image(store, "b", [top(b"bare")])
        assert os.stat(store.layer_path(bare.layers[0])).st_mode & 0o7777 == 0o555, "podman's mode if nothing says one"
        record = add_image(store, "a", [base(), top()])
        status = os.stat(store.layer_path(record.layers[1]))
        assert (status.st_uid, status.st_mode & 0o7777) == (4, 0o711)


@in_userns
def test_a_directory_without_an_entry_stays_as_the_layers_below_have_it() -> None:
    note = {"SCHILY.xattr.user.note": "hello"}
    lowest = Tar().directory("tmp", mode=0o1777, uid=3, gid=4, pax_headers=note).directory("tmp/in", mode=0o700, uid=5)
    lowest.directory("gone", mode=0o700, uid=6).directory("hidden").directory("hidden/x", mode=0o700, uid=6)
    middle = (
        Tar().file(".wh.gone", b"").directory("hidden", uid=1).file("hidden/.wh..wh..opq", b"").symlink("link", "tmp")
    )
    top = Tar().file("tmp/in/f").file("gone/f").file("hidden/x/f").file("new/f").file("link/f")
    with own_store() as store:
        record = add_image(store, "a", [lowest, middle, top])
        place = Path(store.layer_path(record.layers[-1]))

        def seen(name: str) -> tuple[int, int, int]:
            status = (place / name).stat()
            return status.st_mode & 0o7777, status.st_uid, status.st_gid

        assert (seen("tmp"), seen("tmp/in")) == ((0o1777, 3, 4), (0o700, 5, 0))
        assert (place / "tmp").stat().st_mtime == MTIME
        assert os.getxattr(place / "tmp", "user.note") == b"hello"
        assert seen("hidden") == (0o755, 1, 0)
        assert not os.listxattr(place / "hidden"), "opaque is the middle layer's"
        assert {seen(name) for name in ("gone", "hidden/x", "new", "link")} == {(0o755, 0, 0)}


@in_userns
def test_shared_layers_stay_until_the_last_image_goes() -> None:
    with own_store() as store:
        add_image(store, "a", [base(), top(b"1")], "localhost/a:latest")
        add_image(store, "b", [base(), top(b"2")], "localhost/b:latest")
        assert len(listing(store, "layers")) == 3
        store.close()  # ends the leases that has_layer took
        assert store.remove_image("localhost/a:latest").lines[-1] == "Deleted: " + "a" * 64
        assert len(listing(store, "layers")) == 2
        assert len(listing(store, "blobs/sha256")) == 2
        store.remove_image("b" * 64)
        assert listing(store, "layers") == listing(store, "blobs/sha256") == []
        store.close()
        assert listing(store, "tmp") == ["blobs"]
        assert_clean(store)


@in_userns
def test_the_newest_manifest_decides_which_compression_of_a_layer_stays() -> None:
    """Two pulls at once receive both; later ones would find the layer here, and receive nothing."""
    with own_directory() as directory:
        stores = [open_store(directory), open_store(directory)]
        tar = base().bytes()
        staged = []
        for store, data in zip(stores, (b"one form", b"another"), strict=True):
            assert not store.has_layer(digest(tar))
            layer = store.begin_layer(chain_id=digest(tar), parent="", diff_id=digest(tar), recipe=False)
            layer.write(tar)
            layer.finish()
            blob = store.stage_blob(digest(data))
            blob.write(data)
            blob.finish()
            staged.append((store, layer, blob))
        for store, layer, blob in staged:
            manifest = json.dumps({"layers": [{"digest": blob.digest}]}).encode()
            image = {"id": "a" * 64, "config": b"{}", "layers": [digest(tar)]}
            record = ImageRecord(**image, manifest=manifest, digest=digest(manifest))
            store.commit_image(record, layers=[layer], blobs=[blob], names=[NAME], parents=[b"{}"])
        for store in stores:
            store.close()
        last = open_store(directory)
        assert listing(last, "blobs/sha256") == [digest(b"another")[7:]]
        found = last.find_image(NAME)
        assert len(found.digests) == 3
        assert found.digests[0] == digest(b"{}")
        assert last.find_image("a").podman_digest == digest(b"{}")
        first = last.find_image(f"localhost/x@{found.digests[1]}")
        assert digest(first.manifest) == first.digest == found.digests[1] != found.digest
        assert_clean(last)
        last.database.execute("DELETE FROM image_manifests WHERE digest = ?", (found.digest,))
        assert [finding.what for finding in last.check()] == [
            f"image {'a' * 12}: its manifest {found.digest} is missing: pull it again"
        ]


@in_userns
def test_removing_one_of_several_names_only_removes_the_name() -> None:
    with own_store() as store:
        add_image(store, "a", [base()], NAME)
        store.tag(NAME, "localhost/y:1")
        with pytest.raises(InUseError, match="several names"):
            store.remove_image("aaaa")
        assert store.remove_image(NAME).lines == [f"Untagged: {NAME}"]
        assert store.find_image("aaaa").names == ["localhost/y:1"]
        store.untag("localhost/y:1")
        assert store.find_image("aaaa").names == []


@in_userns
def test_an_image_that_a_container_uses_stays() -> None:
    with own_store() as store:
        add_image(store, "a", [base()], NAME)
        columns = "(id, name, image_id, created, status)"
        insert = f"INSERT INTO containers {columns} VALUES (?, 'c', ?, 1, 'created')"
        store.database.execute(insert, ("c" * 64, "a" * 64))
        with pytest.raises(InUseError, match="in use by container cccccccccccc"):
            store.remove_image(NAME, force=True)
        assert store.image_users("a" * 64) == ["c" * 64]
        assert store.find_image(NAME).names == [NAME], "nothing was half done"


@in_userns
def test_a_layer_that_a_pull_relies_on_isnt_collected() -> None:
    with own_directory() as directory:
        store, other = open_store(directory), open_store(directory)
        record = add_image(store, "a", [base()], NAME)
        store.close()
        assert other.has_layer(record.layers[0])
        store.remove_image(NAME)
        assert len(listing(store, "layers")) == 1
        add_image(other, "b", [base()], NAME)
        other.close()
        assert store.find_image(NAME).layers == record.layers


@in_userns
def test_the_same_layer_twice_in_an_image_is_kept_once() -> None:
    with own_store() as store:
        data = top()
        record = add_image(store, "a", [data, Tar(), data], NAME)
        assert len(record.layers) == 3
        assert len(listing(store, "blobs/sha256")) == 2
        assert_clean(store)


@in_userns
def test_a_wrong_diff_id_leaves_nothing() -> None:
    with own_store() as store:
        layer = store.begin_layer(chain_id=digest(b"x"), parent="", diff_id=digest(b"x"))
        layer.write(base().bytes())
        with pytest.raises(DigestMismatchError):
            layer.finish()
        layer.abort()
        store.close()
        assert listing(store, "layers") == []
        assert listing(store, "tmp") == []


@in_userns
def test_a_missing_layer_refuses_the_image() -> None:
    with own_store() as store:
        record = add_image(store, "a", [base()], NAME).replace(id="b" * 64, layers=[digest(b"nowhere")])
        with pytest.raises(StorageError, match="isn't in the store"):
            store.commit_image(record)
        assert len(store.images()) == 1


@pytest.mark.parametrize("point", CRASH_POINTS)
@in_userns
def test_a_kill_during_the_commit_leaves_the_old_state_or_the_new(point: str) -> None:
    with own_directory() as directory:
        open_store(directory).database.close()
        child = os.fork()
        if child == 0:
            os.environ["PODPY_CRASH_AT"] = point
            add_image(open_store(directory), "a", [base(), top()], NAME)
            os._exit(0)
        assert os.waitpid(child, 0)[1] == 9
        store = open_store(directory)
        store.staging.path()  # the next call that stages something sweeps first
        store.close()
        assert bool(store.images()) == (point == "commit:committed")
        assert listing(store, "tmp") in ([], ["blobs"])
        # What was renamed and not committed is either found by check, or taken over by the next pull.
        assert all("nothing in the database belongs to it" in finding.what for finding in store.check())
        record = add_image(store, "a", [base(), top()], NAME)
        store.close()
        store.check(repair=True)
        assert_clean(store)
        assert Path(store.layer_path(record.layers[1]), "etc/top").read_text() == "top"


@in_userns
def test_kills_at_random_moments_leave_a_store_that_works() -> None:
    with own_directory() as directory:
        open_store(directory).database.close()
        for round_ in range(25):
            child = os.fork()
            if child == 0:
                store = open_store(directory)
                store.sweep()
                for number in range(100):
                    add_image(store, "abcdef"[number % 6], [base(), top(b"%d" % number)], NAME)
                    store.remove_image(NAME)
                os._exit(0)
            time.sleep(0.004 * round_)  # the moment of the kill, not a wait for something
            os.kill(child, 9)
            os.waitpid(child, 0)
        store = open_store(directory)
        store.check(repair=True)
        store.close()
        assert_clean(store)
        assert listing(store, "tmp") in ([], ["blobs"])
        add_image(store, "a", [base()], NAME)


@in_userns
def test_a_living_calls_staging_directory_isnt_swept() -> None:
    with own_directory() as directory:
        first, second = open_store(directory), open_store(directory)
        path = first.staging.path()
        assert second.sweep().lines == []
        assert Path(path).is_dir()
        first.staging.close()


@in_userns
def test_a_full_disk_is_an_error_and_the_old_state_stays() -> None:
    with small_filesystem(8) as directory:
        store = open_store(directory, rootless=False)
        add_image(store, "a", [base()], NAME)
        data = Tar().file("big", os.urandom(1 << 20) * 16).bytes()
        layer = store.begin_layer(chain_id=digest(data), parent="", diff_id=digest(data))
        with pytest.raises(StorageError, match=r"big: writing it: No space left.*Free some space"):
            layer.write(data)
            layer.finish()
        layer.abort()
        blob = store.stage_blob(digest(data))
        with pytest.raises(OSError) as caught:
            blob.write(data)
        assert caught.value.errno == errno.ENOSPC
        blob.restart()
        blob.abort()
        store.close()
        assert store.find_image(NAME).id == "a" * 64
        assert_clean(store)


@in_userns
def test_a_cut_off_blob_continues_where_it_stopped() -> None:
    with own_store() as store:
        data = os.urandom(100_000)
        first = store.stage_blob(digest(data))
        first.write(data[:60_000])
        first.abort()
        second = store.stage_blob(digest(data))
        assert (second.offset, second.complete) == (60_000, False)
        second.write(data[60_000:])
        second.finish()
        third = store.stage_blob(digest(data))
        assert third.complete
        assert third.open().readall() == data


@in_userns
def test_two_pulls_of_one_blob_share_it() -> None:
    with own_directory() as directory:
        data = os.urandom(10_000)
        mine = open_store(directory).stage_blob(digest(data))
        read_end, write_end = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(mine._descriptor)
            os.write(write_end, b".")
            theirs = open_store(directory).stage_blob(digest(data))  # waits
            os._exit(0 if theirs.complete else 1)
        os.read(read_end, 1)
        mine.write(data)
        assert os.waitpid(child, os.WNOHANG) == (0, 0)
        mine.finish()
        assert os.waitpid(child, 0)[1] == 0


@in_userns
def test_an_unfinished_blob_is_removed_after_a_week() -> None:
    with own_store() as store:
        blob = store.stage_blob(digest(b"old"))
        blob.write(b"o")
        os.utime(blob.open().name, (1, 1))
        assert len(store.collect().lines) == 0, "it is being received"
        blob.abort()
        assert len(store.collect().lines) == 1
        assert listing(store, "tmp/blobs") == []


@in_userns
def test_unfinished_blobs_can_be_removed_at_once_except_those_of_living_calls() -> None:
    with own_directory() as directory:
        living, other = open_store(directory), open_store(directory)
        received, complete = living.stage_blob(digest(b"received")), living.stage_blob(digest(b"complete"))
        received.write(b"rec")
        living.has_blob(digest(b"complete"))
        complete.write(b"complete")
        complete.finish()
        assert len(other.collect(unfinished=True).lines) == 0
        assert other.space().freed_by(()) == 0
        assert other.space().total == 8192
        received.abort()
        assert other.space().freed_by((), unfinished=False) == 0
        assert other.space().freed_by(()) == 4096
        assert len(other.collect(unfinished=True).lines) == 1
        living.close()
        assert len(other.collect(unfinished=True).lines) == 1
        assert listing(other, "tmp/blobs") == []


@in_userns
def test_a_damaged_blob_is_refused_and_not_kept() -> None:
    with own_store() as store:
        blob = store.stage_blob(digest(b"right"))
        blob.write(b"wrong")
        with pytest.raises(DigestMismatchError):
            blob.finish()
        assert store.stage_blob(digest(b"right")).offset == 0


@in_userns
def test_many_pulls_can_run_at_once() -> None:
    with own_directory() as directory:
        children = []
        for number in range(6):
            child = os.fork()
            if child == 0:
                store = open_store(directory)  # also: six first calls make one database
                add_image(store, "abcdef"[number], [base(), top(b"%d" % (number % 3))], f"localhost/i{number}:1")
                store.close()
                os._exit(0)
            children.append(child)
        assert [os.waitpid(child, 0)[1] for child in children] == [0] * 6
        store = open_store(directory)
        assert len(store.images()) == 6
        assert len(listing(store, "layers")) == 4
        assert_clean(store)


@in_userns
def test_check_finds_missing_and_surplus_files() -> None:
    with own_store() as store:
        record = add_image(store, "a", [base()], NAME)
        os.mkdir(f"{store.graphroot}/layers/77")
        os.makedirs(f"{store.graphroot}/containers/{'d' * 64}/upper")
        blob = store.blob_path(record.layers[0])
        with open(blob, "ab") as file:
            file.write(b"more")
        found = " ".join(finding.what for finding in store.check())
        assert "layers/77" in found
        assert "containers/ddd" in found
        assert "bytes, not" in found
        store.check(repair=True)
        assert_clean(store)
        os.rename(store.layer_path(record.layers[0]), f"{store.graphroot}/lost")
        assert store.check(repair=True)[0].layer == record.layers[0]


@in_userns
def test_a_newer_database_is_refused_with_a_hint() -> None:
    with own_directory() as directory:
        store = open_store(directory)
        store.database.execute("PRAGMA user_version=99")
        store.database.close()
        with pytest.raises(StorageError, match="written by a newer podpy"):
            Database.open(store.paths)


@in_userns
def test_an_older_database_is_migrated_once() -> None:
    with own_directory() as directory:
        store = open_store(directory)
        add_image(store, "a", [base()], NAME)
        store.close()
        store.database.close()
        schema.MIGRATIONS += ("CREATE TABLE later (x TEXT);\nCREATE INDEX later_by_x ON later (x);\n",)
        schema.VERSION += 1
        for _ in range(2):
            database = Database.open(store.paths)
            assert database.query("PRAGMA user_version") == [(schema.VERSION,)]
            assert database.query("SELECT count(*) FROM later") == [(0,)]
            database.close()
        assert len(open_store(directory).images()) == 1
