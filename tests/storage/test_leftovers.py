"""What failed, killed and simultaneous calls leave: nothing past the next call, and nothing goes that is used."""

from __future__ import annotations

import errno
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from podpy.errors import InUseError
from podpy.storage import commit
from podpy.storage.images import ImageRecord
from podpy.storage.layers import filesystem
from podpy.storage.store import Store
from tests.storage.stores import add_image, open_store, own_store
from tests.storage.tars import Tar, digest
from tests.storage.userns import in_userns, own_directory

NAME = "localhost/x:latest"
PLACES = ("layers", "recipes", "blobs/sha256")


def base() -> Tar:
    return Tar().directory("./").file("a", b"a")


def add_and_close(directory: Path) -> ImageRecord:
    """Bring an image in, as a call does that has ended by now."""
    store = open_store(directory)
    record = add_image(store, "a", [base()], NAME)
    store.close()
    return record


def on_disk(store: Store) -> list[str]:
    """Return everything of images that is in the graph root."""
    root = Path(store.graphroot)
    return [f"{place}/{path.name}" for place in PLACES for path in (root / place).glob("*")]


def in_child(function: Callable[[], object]) -> int:
    """Run something in a child that never closes its store; return its wait status."""
    child = os.fork()
    if child == 0:
        try:
            function()
        finally:
            os._exit(1)
    return os.waitpid(child, 0)[1]


def killed() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@in_userns
def test_a_killed_first_call_leaves_nothing_after_the_next_calls() -> None:
    def first_call() -> None:
        os.environ["PODPY_CRASH_AT"] = "database:built"
        open_store(directory)

    with own_directory() as directory:
        assert os.WTERMSIG(in_child(first_call)) == signal.SIGKILL
        graphroot = next(path for path in directory.rglob("tmp")).parent
        assert [path.name for path in graphroot.iterdir()] == ["tmp"]
        assert len([*graphroot.glob("tmp/*/database-*")]) == 1
        add_and_close(directory)
        assert [*graphroot.rglob("database-*")] == []
        assert {path.name for path in graphroot.glob("tmp/*")} <= {"blobs"}


@in_userns
def test_a_commit_that_fails_after_its_renames_leaves_nothing() -> None:
    with own_store() as store:
        store.database.execute(
            "CREATE TRIGGER no BEFORE INSERT ON image_names BEGIN SELECT RAISE(ABORT, 'the name is taken'); END"
        )
        with pytest.raises(InUseError, match="the name is taken"):
            add_image(store, "a", [base()], NAME)
        assert on_disk(store) == []
        assert store.check() == []
        store.close()


@in_userns
def test_blobs_whose_rows_are_refused_leave_nothing() -> None:
    with own_store() as store:
        blob = store.stage_blob(digest(b"data"))
        blob.write(b"data")
        blob.finish()

        def refuse() -> None:
            raise InUseError("somebody else was faster")

        with pytest.raises(InUseError, match="faster"):
            commit.commit_blobs(store, [blob], refuse)
        assert on_disk(store) == []
        assert store.check() == []


@in_userns
def test_a_layer_that_only_a_lease_kept_is_removed_with_the_lease() -> None:
    with own_directory() as directory:
        record = add_and_close(directory)
        saves, removes = open_store(directory), open_store(directory)
        assert saves.has_layer(record.layers[0])
        removes.remove_image(NAME)
        assert on_disk(saves) != []  # the one that saves still needs them
        saves.close()
        assert on_disk(removes) == []
        assert removes.check() == []


@in_userns
def test_the_next_call_removes_a_layer_that_only_a_killed_calls_lease_kept() -> None:
    with own_directory() as directory:
        record = add_and_close(directory)
        store = open_store(directory)

        def lease_and_remove() -> None:
            other = open_store(directory)
            other.has_layer(record.layers[0])
            open_store(directory).remove_image(NAME)
            killed()

        assert in_child(lease_and_remove) == signal.SIGKILL
        assert on_disk(store) != []
        store.sweep()
        assert on_disk(store) == []
        assert store.database.query("SELECT * FROM leases") == []


@in_userns
def test_a_call_killed_while_it_cleans_up_hides_nothing_from_the_next() -> None:
    with own_directory() as directory:
        add_and_close(directory)
        store = open_store(directory)

        def remove_and_die() -> None:
            os.environ["PODPY_CRASH_AT"] = "remove:committed"
            open_store(directory).remove_image(NAME)

        def clear_up_and_die() -> None:
            os.environ["PODPY_CRASH_AT"] = "sweep:leases"
            open_store(directory).sweep()

        assert in_child(remove_and_die) == signal.SIGKILL
        assert in_child(clear_up_and_die) == signal.SIGKILL
        assert on_disk(store) != []
        store.sweep()
        assert on_disk(store) == []
        store.close()
        assert [*Path(store.graphroot, "tmp").iterdir()] == [Path(store.graphroot, "tmp/blobs")]


@in_userns
def test_the_next_call_cleans_up_although_a_killed_calls_child_still_writes() -> None:
    with own_directory() as directory:
        store = open_store(directory)
        assert in_child(lambda: (open_store(directory).staging.path(), killed())) == signal.SIGKILL
        remove_tree = filesystem.remove_tree

        def meets_the_child(path: str) -> None:
            raise OSError(errno.ENOTEMPTY, os.strerror(errno.ENOTEMPTY), path)

        filesystem.remove_tree = meets_the_child
        assert store.sweep().lines == []
        filesystem.remove_tree = remove_tree
        (removed,) = store.sweep().lines
        assert not Path(store.graphroot, removed).exists()


@in_userns
def test_leases_of_a_call_without_a_directory_are_removed() -> None:
    with own_directory() as directory:
        record = add_and_close(directory)
        store = open_store(directory)
        store.database.execute("INSERT INTO leases VALUES ('1-gone', ?)", (record.layers[0],))
        living = open_store(directory)
        living.has_layer("sha256:" + "0" * 64)
        assert in_child(lambda: (open_store(directory).staging.path(), killed())) == signal.SIGKILL
        store.sweep()
        assert store.database.query("SELECT DISTINCT staging FROM leases") == [(living.staging.name,)]
        living.close()


@in_userns
def test_a_blob_emptied_by_a_power_cut_is_received_again() -> None:
    with own_directory() as directory:
        store = open_store(directory)
        blob = store.stage_blob(digest(b"data"))
        blob.write(b"data")
        blob.finish()
        assert open_store(directory).stage_blob(digest(b"data")).complete
        os.truncate(blob.open().name, 0)  # ext4 may have the name already and the data not yet
        again = open_store(directory).stage_blob(digest(b"data"))
        assert (again.complete, again.offset) == (False, 0)
        again.write(b"data")
        again.finish()
        commit.commit_blobs(store, [again], lambda: None)
        assert Path(store.blob_path(digest(b"data"))).read_bytes() == b"data"


@in_userns
def test_an_old_blob_that_a_pull_has_found_outlives_a_prune() -> None:
    with own_directory() as directory:
        add_and_close(directory)
        prunes, pulls = open_store(directory), open_store(directory)
        data = base().bytes()
        os.utime(prunes.blob_path(digest(data)), (0, 0))
        blob = pulls.stage_blob(digest(data))
        assert blob.complete
        prunes.remove_image(NAME)
        prunes.collect()
        record = ImageRecord(id="b" * 64, digest=digest(b"m"), manifest=b"", config=b"{}", layers=[])
        pulls.commit_image(record, blobs=[blob])
        assert Path(pulls.blob_path(digest(data))).read_bytes() == data
