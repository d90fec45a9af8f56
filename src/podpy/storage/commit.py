"""Making an image visible: sync, rename, commit, in this order."""

from __future__ import annotations

import os
import time

from podpy import fastjson, files
from podpy.digests import sha256
from podpy.errors import ImageError, PodpyError, StorageError
from podpy.storage import crash_point, orphans
from podpy.storage.layers import filesystem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import TypeVar

    from podpy.storage.blobs import BlobWriter
    from podpy.storage.images import ImageRecord
    from podpy.storage.layers.writer import LayerWriter
    from podpy.storage.shelves import Shelves

    T = TypeVar("T")

_DIRECTORIES = ("layers", "recipes", "blobs/sha256")


def commit_image(
    store: Shelves,
    record: ImageRecord,
    layers: Sequence[LayerWriter],
    blobs: Sequence[BlobWriter],
    names: Sequence[str],
    parents: Sequence[bytes],
    before: Sequence[ImageRecord] = (),
    also: Callable[[], object] | None = None,
) -> ImageRecord:
    """See Store.commit_image."""
    for layer in layers:
        layer.check_finished()
    _check_complete(blobs)
    by_position = layer_digests(record.manifest)
    led = {sha256(manifest): manifest for manifest in parents}
    for directory in _DIRECTORIES:
        os.makedirs(os.path.join(store.graphroot, directory), mode=0o700, exist_ok=True)
    _inherit(store, record, layers)
    crash_point("commit:synced:before")
    # Everything that the rows will speak of is on the disk before the first of them: files, then renames, then the
    # commit.
    if layers or blobs:
        filesystem.sync_filesystem(store.graphroot)
    crash_point("commit:synced:after")

    def place() -> None:
        _check_layers(store, record, {layer.chain_id for layer in layers})
        for layer in layers:
            _place_layer(store, layer)
            crash_point("commit:renamed")
        for blob in blobs:
            _place_blob(store, blob)
        _pair(store, record, {layer.chain_id for layer in layers}, by_position)
        for directory in _DIRECTORIES if layers or blobs else ():
            files.fsync_directory(os.path.join(store.graphroot, directory))
        for other in before:
            _insert(store, other, {}, [])
        _insert(store, record, led, by_position)
        for name in names:
            store.images_table.give_name(name, record.id)
        if also is not None:
            also()
        store.tell_coming("image", record.id)

    _commit(store, place)
    return store.find_image(record.id)


def commit_blobs(store: Shelves, blobs: Sequence[BlobWriter], write: Callable[[], T]) -> T:
    """Make blobs visible together with the rows that `write` inserts: one syncfs, renames, one transaction.

    Return what `write` returns. Raises StorageError, and then nothing has changed.
    """
    _check_complete(blobs)
    os.makedirs(os.path.join(store.graphroot, "blobs/sha256"), mode=0o700, exist_ok=True)
    store.staging.path()  # a call that is killed between renames and commit leaves this: the sign to look for orphans
    if blobs:
        filesystem.sync_filesystem(store.graphroot)

    def place() -> T:
        for blob in blobs:
            _place_blob(store, blob)
        if blobs:
            files.fsync_directory(os.path.join(store.graphroot, "blobs/sha256"))
        return write()

    return _commit(store, place)


def replace_layer(
    store: Shelves, image: ImageRecord, layer: LayerWriter, blobs: Sequence[BlobWriter], check: Callable[[], None]
) -> None:
    """Put an unpacked layer where a committed one was lost or damaged; `image` is one that has it.

    A kill leaves the old one, the new one, or none: then `system check` finds that again. `check`: raises if the old
    one may not go, asked in the transaction that replaces it. Raises StorageError, and what `check` raises.
    """
    layer.check_finished()
    _check_complete(blobs)
    _inherit(store, image, [layer])
    for directory in _DIRECTORIES:
        os.makedirs(os.path.join(store.graphroot, directory), mode=0o700, exist_ok=True)
    filesystem.sync_filesystem(store.graphroot)
    digest = blobs[0].digest if blobs else ""

    def place() -> None:
        check()
        (number,) = store.layer_numbers([layer.chain_id])
        old = os.path.join(store.graphroot, "layers", str(number))
        if os.path.lexists(old):  # damaged; of one that is lost, somebody may have a good copy mounted
            _drop_copies(store, number)
        replacements = {old: layer.path}
        if layer.recipe_size:
            replacements[store.recipe_path(number)] = layer.recipe_path
        for target, fresh in replacements.items():
            if os.path.lexists(target):
                store.staging.set_aside(target)
            os.rename(fresh, target)
            crash_point("replace:renamed")
        store.database.execute(
            "UPDATE layers SET size = ?, entries = ?, recipe = ?, tar_size = ? WHERE number = ?",
            (layer.size, layer.entries, layer.recipe_size, layer.tar_size, number),
        )
        for blob in blobs:
            _place_blob(store, blob)
            store.database.execute("INSERT OR IGNORE INTO image_blobs VALUES (?, ?)", (image.id, digest))
        for directory in _DIRECTORIES:
            files.fsync_directory(os.path.join(store.graphroot, directory))
        _pair(store, image.replace(layers=[layer.chain_id]), {layer.chain_id}, [digest])

    _commit(store, place)


def _drop_copies(store: Shelves, number: int) -> None:
    """Remove a damaged layer's copies for user namespaces, which are as damaged: the next start makes them again."""
    for name in orphans.names(store, "mapped"):
        if name.partition("-")[0] == str(number):
            store.staging.set_aside(os.path.join(store.graphroot, "mapped", name))


def _commit(store: Shelves, place: Callable[[], T]) -> T:
    """Return what `place` returns, which renames files and inserts their rows, all in one transaction.

    If it fails (a full disk, a name that somebody else has just taken), the rows are rolled back, and the files go.
    """
    try:
        with store.database.transaction(durable=True):
            result = place()
            crash_point("commit:inserted")
    except BaseException:
        _remove_placed(store)
        raise
    crash_point("commit:committed")
    return result


def _remove_placed(store: Shelves) -> None:
    try:
        orphans.remove(store)
    except (PodpyError, OSError):
        pass  # what made the commit fail is the better error, and system check finds them


def _check_complete(blobs: Sequence[BlobWriter]) -> None:
    for blob in blobs:
        if not blob.complete:
            raise StorageError(f"blob {blob.digest} isn't here wholly")


def layer_digests(manifest: bytes) -> list[str]:
    """Return the digests of a manifest's layers, lowest first. Raises ImageError if it's no manifest."""
    if not manifest:
        return []
    try:
        value = fastjson.loads(manifest)
        layers = value.get("layers") or []
        return [layer["digest"] if isinstance(layer["digest"], str) else "" for layer in layers]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ImageError(f"the image's manifest makes no sense: {error}") from error


def _inherit(store: Shelves, record: ImageRecord, layers: Sequence[LayerWriter]) -> None:
    """Give directories about which a layer says nothing what the layers below it say."""
    _inherit_roots(store, layers)
    staged = {layer.chain_id: layer for layer in layers}
    for layer in layers:
        if layer.implied and layer.parent:
            from podpy.storage.layers.inherit import inherit_directories

            below = record.layers[: record.layers.index(layer.chain_id)]
            paths = [staged[chain].path if chain in staged else store.layer_path(chain) for chain in reversed(below)]
            inherit_directories(layer.path, paths)


def _inherit_roots(store: Shelves, layers: Sequence[LayerWriter]) -> None:
    staged = {layer.chain_id: layer for layer in layers}
    for layer in layers:  # lowest first, so a parent has got its own parent's by then
        if layer.root_seen:
            continue
        if not layer.parent:
            os.chmod(layer.path, 0o555)  # as podman does (containers/storage: defaultPerms)
            continue
        parent = staged.get(layer.parent)
        layer.take_root_from(parent.path if parent else store.layer_path(layer.parent))


def _check_layers(store: Shelves, record: ImageRecord, staged: set[str]) -> None:
    # Before the first rename: a commit that fails after one leaves a directory without a row.
    for chain_id in record.layers:
        query = "SELECT 1 FROM layers WHERE chain_id = ?"
        if chain_id not in staged and not store.database.query(query, (chain_id,)):
            raise StorageError(
                f"layer {chain_id} of image {record.id[:12]} isn't in the store", hint="Pull or load the image again"
            )


def _place_layer(store: Shelves, layer: LayerWriter) -> None:
    database = store.database
    if database.query("SELECT 1 FROM layers WHERE chain_id = ?", (layer.chain_id,)):
        # Another pull has committed the same layer meanwhile, or this image has it twice: ours goes with the staging.
        return
    number = database.insert(
        "INSERT INTO layers (chain_id, parent, diff_id, size, entries, created, recipe, tar_size) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        (
            layer.chain_id,
            layer.parent or None,
            layer.diff_id,
            layer.size,
            layer.entries,
            time.time_ns(),
            layer.recipe_size,
            layer.tar_size,
        ),
    )
    for directory in ("layers", "recipes"):
        target = os.path.join(store.graphroot, directory, str(number))
        if os.path.lexists(target):
            # A call that was killed between its rename and its commit left it: this number has no row but ours, and we
            # hold the write lock.
            store.staging.discard(target)
    if layer.recipe_size:
        os.rename(layer.recipe_path, store.recipe_path(number))
    os.rename(layer.path, os.path.join(store.graphroot, "layers", str(number)))


def _place_blob(store: Shelves, blob: BlobWriter) -> None:
    size = blob.store()
    values = (blob.digest, size, time.time_ns())
    store.database.execute("INSERT OR IGNORE INTO blobs VALUES (?, ?, ?)", values)


def _pair(store: Shelves, record: ImageRecord, unpacked: set[str], by_position: Sequence[str]) -> None:
    """Write down which blob is which layer's, for the layers that have been unpacked from them: a manifest alone proves
    nothing about a layer that was here before.
    """
    for chain_id, digest in zip(record.layers, by_position, strict=False):
        if chain_id in unpacked:
            store.database.execute(
                "INSERT OR IGNORE INTO layer_blobs SELECT layers.diff_id, blobs.digest FROM layers, blobs "
                "WHERE chain_id = ? AND digest = ?",
                (chain_id, digest),
            )


def _insert(store: Shelves, record: ImageRecord, led: dict[str, bytes], by_position: Sequence[str]) -> None:
    size = 0
    for chain_id in record.layers:
        size += store.database.query("SELECT size FROM layers WHERE chain_id = ?", (chain_id,))[0][0]
    store.images_table.insert(record.replace(size=size), led)
    wanted = {blob for blob in by_position if blob} | _blobs_of_others(store, record, by_position)
    # The end of this call, whose leases are on the layers and their blobs, removes what nothing uses any more.
    store.database.execute("DELETE FROM image_blobs WHERE image_id = ?", (record.id,))
    for digest in wanted:
        store.database.execute("INSERT INTO image_blobs VALUES (?, ?)", (record.id, digest))


def _blobs_of_others(store: Shelves, record: ImageRecord, by_position: Sequence[str]) -> set[str]:
    """Return the blobs that came with other manifests and that this image needs: one for a layer at most.

    A layer that was here already may have come with another manifest, of this image (then it is kept for that
    manifest's sake as long as the newest one has none) or of another. If it has no recipe, that image's blob is the
    only way to its tar, so it must outlive that image.
    """
    own = {
        digest for (digest,) in store.database.query("SELECT digest FROM image_blobs WHERE image_id = ?", (record.id,))
    }
    wanted: set[str] = set()
    for chain_id in record.layers:
        rows = store.database.query(
            "SELECT digest, recipe FROM layers JOIN layer_blobs USING (diff_id) WHERE chain_id = ?", (chain_id,)
        )
        if any(digest in by_position for digest, _ in rows):
            continue
        kept = [digest for digest, _ in rows if digest in own] or [digest for digest, recipe in rows if not recipe]
        wanted.update(kept[:1])
    return wanted
