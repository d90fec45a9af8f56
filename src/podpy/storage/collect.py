"""Garbage: what no image or artifact needs. One transaction removes the rows; the files follow (storage/orphans.py).

There are no counters: an object is garbage if no query finds a user of it. Users of a layer are images and leases (a
call that is at work and relies on it); of a blob, images, artifacts and leases.
"""

from __future__ import annotations

import os

from podpy import files
from podpy.errors import InUseError, SeveralNamesError
from podpy.notice import warn
from podpy.storage import blobs, crash_point, orphans, staging
from podpy.storage.layers import compressed, filesystem
from podpy.storage.layers.size import tree_size
from podpy.storage.mounts import image_mounts
from podpy.storage.shelves import Removed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from podpy.storage.images import ImageRecord
    from podpy.storage.shelves import Shelves

_UNUSED_LAYERS = (
    "SELECT number FROM layers WHERE NOT EXISTS (SELECT 1 FROM image_layers WHERE chain_id = layers.chain_id) "
    "AND NOT EXISTS (SELECT 1 FROM leases WHERE object = layers.chain_id)"
)
_UNUSED_BLOBS = (
    "SELECT digest FROM blobs WHERE NOT EXISTS (SELECT 1 FROM image_blobs WHERE digest = blobs.digest) "
    "AND NOT EXISTS (SELECT 1 FROM artifact_blobs WHERE digest = blobs.digest) "
    "AND NOT EXISTS (SELECT 1 FROM leases WHERE object = blobs.digest)"
)


def remove_image(store: Shelves, name_or_id: str, *, force: bool, only_unnamed: bool, measure: bool) -> Removed:
    """See Store.remove_image."""
    _announce(store)
    with store.database.transaction(durable=True):
        record = store.find_image(name_or_id)
        if only_unnamed and record.names:
            raise InUseError(f"image {record.id[:12]} has a name now: {record.names[0]}")
        if name_or_id in record.names and len(record.names) > 1:
            store.images_table.drop_name(name_or_id)
            return Removed(lines=[f"Untagged: {name_or_id}"])
        if name_or_id not in record.names:
            _refuse_several_names(record, force)
        image_mounts.refuse_if_mounted(store, record.id)
        store.images_table.delete(record.id)
        _drop_unused_rows(store)
    crash_point("remove:committed")
    size = orphans.remove(store, measure=measure).bytes
    return Removed(lines=[*(f"Untagged: {name}" for name in record.names), f"Deleted: {record.id}"], bytes=size)


def remove(store: Shelves, delete: Callable[[], None]) -> None:
    """Call `delete`, which deletes rows, and remove what nothing uses any more after it."""
    _announce(store)
    with store.database.transaction(durable=True):
        delete()
        _drop_unused_rows(store)
    crash_point("remove:committed")
    orphans.remove(store)


def collect(store: Shelves, *, unfinished: bool = False, measure: bool = False) -> Removed:
    """See Store.collect."""
    _announce(store)
    with store.database.transaction(durable=True):
        _drop_unused_rows(store)
    removed = orphans.remove(store, measure=measure)
    age = 0.0 if unfinished else blobs.KEPT_SECONDS

    def is_leased(digest: str) -> bool:
        return bool(store.database.query("SELECT 1 FROM leases WHERE object = ?", (digest,)))

    gone = [b for b in blobs.unfinished(store.graphroot, is_leased, remove_after=age) if b.idle and b.age >= age]
    lines = [*removed.lines, *(f"tmp/blobs/{os.path.basename(blob.path)}" for blob in gone)]
    return Removed(lines=lines, bytes=removed.bytes + (sum(blob.size for blob in gone) if measure else 0))


def remove_if_unused(store: Shelves) -> None:
    """Remove what nothing uses any more, without a write to the disk if that is nothing: for the end of a call whose
    leases may have been the last use of what another call has removed meanwhile.
    """
    if any(store.database.query(f"{query} LIMIT 1") for query in (_UNUSED_LAYERS, _UNUSED_BLOBS)):
        remove(store, lambda: None)


def clear_up(store: Shelves, killed: dict[str, int], *, measure: bool = False) -> Removed:
    """Remove what killed calls have left; `killed` is what `staging.of_killed_calls` returned, and is closed here.

    Return the paths of what was removed. Their staging directories are the sign that there may be more, so they go
    last.
    """
    try:
        store.database.make_room()
        with store.database.transaction(durable=True):
            _drop_leases(store, {*staging.names(store.graphroot)} - {*killed})
            _drop_unused_rows(store)
        crash_point("sweep:leases")
        removed = orphans.remove(store, measure=measure)
        size, gone = removed.bytes, []
        for name in killed:
            path = os.path.join(store.staging.root, name)
            size += tree_size(path) if measure else 0
            if _is_removed(path):
                gone.append(f"tmp/{name}")
    finally:
        for lock in killed.values():
            os.close(lock)
    return Removed(lines=[*gone, *removed.lines], bytes=size)


def _is_removed(path: str) -> bool:
    """Remove a killed call's staging directory. False if the next call must try again: a child of that call still
    writes there, or something in it can't be removed, which is told: it keeps no call from its own work.
    """
    try:
        filesystem.remove_tree(path)
    except OSError as error:
        from errno import ENOTEMPTY

        if error.errno != ENOTEMPTY:
            warn(f"{path} could not be removed: {error.strerror}")
        return False
    return True


def _drop_leases(store: Shelves, living: set[str]) -> None:
    # A living call's staging directory was there before its first lease: a holder of the write lock sees both.
    for (name,) in store.database.query("SELECT DISTINCT staging FROM leases"):
        if name not in living:
            store.database.execute("DELETE FROM leases WHERE staging = ?", (name,))


def _announce(store: Shelves) -> None:
    # The staging directory of a call that is killed from here on tells the next one that there may be orphans. It must
    # be on the disk before the rows are gone from it.
    store.database.make_room()
    store.staging.path()
    files.fsync_directory(store.staging.root)


def _refuse_several_names(record: ImageRecord, force: bool) -> None:
    if len(record.names) > 1 and not force:
        names = ", ".join(record.names)
        raise SeveralNamesError(
            f"image {record.id[:12]} has several names: {names}", hint="Remove the names, or podpy rmi --force"
        )


def _drop_unused_rows(store: Shelves) -> None:
    store.database.execute(f"DELETE FROM layers WHERE number IN ({_UNUSED_LAYERS})")
    store.database.execute(f"DELETE FROM blobs WHERE digest IN ({_UNUSED_BLOBS})")
    compressed.forget_unused(store.database)
