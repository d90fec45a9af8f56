"""Garbage: what no image needs any more. One transaction removes the rows; the files follow, by rename and then rm -r.

There are no counters: an object is garbage if no query finds a user of it. Users of a layer are images and leases (a
call that is at work and relies on it); of a blob, images and leases.
"""

from __future__ import annotations

import os

from podpy.errors import InUseError
from podpy.storage import blobs, crash_point

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.storage.images import ImageRecord
    from podpy.storage.store import Store

_UNUSED_LAYERS = (
    "SELECT number FROM layers WHERE NOT EXISTS (SELECT 1 FROM image_layers WHERE chain_id = layers.chain_id) "
    "AND NOT EXISTS (SELECT 1 FROM leases WHERE object = layers.chain_id)"
)
_UNUSED_BLOBS = (
    "SELECT digest FROM blobs WHERE NOT EXISTS (SELECT 1 FROM image_blobs WHERE digest = blobs.digest) "
    "AND NOT EXISTS (SELECT 1 FROM leases WHERE object = blobs.digest)"
)


def remove_image(store: Store, name_or_id: str, *, force: bool) -> list[str]:
    """See Store.remove_image."""
    with store.database.transaction(durable=True):
        record = store.find_image(name_or_id)
        if name_or_id in record.names and len(record.names) > 1:
            store.images_table.drop_name(name_or_id)
            return [f"Untagged: {name_or_id}"]
        if name_or_id not in record.names:
            _refuse_several_names(record, force)
        store.images_table.delete(record.id)
        doomed = _drop_unused_rows(store)
    crash_point("remove:committed")
    for path in doomed:
        store.staging.discard(path)
    return [*(f"Untagged: {name}" for name in record.names), f"Deleted: {record.id}"]


def collect(store: Store) -> int:
    """Remove every layer and blob that nothing uses. Return how many there were."""
    with store.database.transaction(durable=True):
        doomed = _drop_unused_rows(store)
    for path in doomed:
        store.staging.discard(path)
    return len(doomed) + blobs.remove_old(store.graphroot)


def _refuse_several_names(record: ImageRecord, force: bool) -> None:
    if len(record.names) > 1 and not force:
        names = ", ".join(record.names)
        raise InUseError(
            f"image {record.id[:12]} has several names: {names}", hint="Remove the names, or podpy rmi --force"
        )


def _drop_unused_rows(store: Store) -> list[str]:
    database = store.database
    layers = [str(number) for (number,) in database.query(_UNUSED_LAYERS)]
    digests = [digest for (digest,) in database.query(_UNUSED_BLOBS)]
    database.execute(f"DELETE FROM layers WHERE number IN ({', '.join(layers)})")
    database.execute(f"DELETE FROM blobs WHERE digest IN ({', '.join('?' * len(digests))})", tuple(digests))
    return [
        *(os.path.join(store.graphroot, "layers", number) for number in layers),
        *_mapped_copies(store, layers),
        *(store.blob_path(digest) for digest in digests),
    ]


def _mapped_copies(store: Store, numbers: list[str]) -> list[str]:
    directory = os.path.join(store.graphroot, "mapped")
    try:
        names = os.listdir(directory)
    except FileNotFoundError:
        return []
    doomed = set(numbers)
    return [os.path.join(directory, name) for name in names if name.partition("-")[0] in doomed]
