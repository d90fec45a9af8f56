"""Manifest lists in the database: an image without configuration, and where each of its entries is.

images         id (random), digest, config empty, size of the manifest
image_manifests  the list itself
image_names    as every image's
list_sources   one row for each entry
image_blobs    the blobs of artifacts that were made for the list
"""

from __future__ import annotations

from podpy import fastjson
from podpy.errors import StorageError
from podpy.record import Record
from podpy.storage import collect, commit
from podpy.storage.images import ImageRecord

_STORE = "containers-storage:"  # what begins the source of an image of this store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from podpy.storage.blobs import BlobWriter
    from podpy.storage.shelves import Shelves


class EntrySource(Record):
    """Where one entry comes from; see storage/database/schema.py."""

    digest: str
    source: str = ""
    manifest: bytes = b""
    files: list[str] = []


class Contents(Record):
    """A list's bytes, their digest, and its entries' sources."""

    manifest: bytes
    digest: str
    sources: list[EntrySource]


def sources(store: Shelves, list_id: str) -> list[EntrySource]:
    """Return where the entries of a list are."""
    query = "SELECT digest, source, manifest, files FROM list_sources WHERE image_id = ?"
    return [
        EntrySource(digest=digest, source=source, manifest=bytes(manifest), files=fastjson.loads(files))
        for digest, source, manifest, files in store.database.query(query, (list_id,))
    ]


def members(store: Shelves) -> set[str]:
    """Return the ids of the images that lists with a name have: they are in use, whether they have one or not."""
    query = (
        "SELECT source FROM list_sources WHERE EXISTS "
        "(SELECT 1 FROM image_names WHERE image_names.image_id = list_sources.image_id)"
    )
    return {source.partition(":")[2] for (source,) in store.database.query(query) if source.startswith(_STORE)}


def create(store: Shelves, record: ImageRecord, contents: Contents, *names: str, replace: bool = False) -> ImageRecord:
    """Make a new list under full names, which no image may have, unless they are taken from it (`replace`).

    Raises StorageError.
    """

    def write() -> None:
        for name in names:
            refuse_taken(name)
        _save(store, record, contents)
        for name in names:
            store.images_table.give_name(name, record.id)

    def refuse_taken(name: str) -> None:
        owner = store.images_table.name_owner(name)
        if owner and not replace:
            raise StorageError(
                f'image name "{name}" is already associated with image "{owner}": that name is already in use',
                hint="Take another name, or --amend to change the list that has it",
            )

    commit.commit_blobs(store, (), write)
    return store.find_image(record.id)


def change(
    store: Shelves,
    list_id: str,
    work: Callable[[ImageRecord, list[EntrySource]], Contents],
    blobs: Sequence[BlobWriter] = (),
) -> ImageRecord:
    """Replace a list's contents by what `work` returns, under the write lock: two changes at once both count.

    `blobs` are those of new artifacts; each is kept as long as the list has its artifact. Raises NoSuchImageError (the
    list was removed meanwhile), StorageError.
    """

    def write() -> bool:
        record, before = store.find_image(list_id), sources(store, list_id)
        after = work(record, before)
        _save(store, record, after)
        kept = {source.digest for source in after.sources}
        return any(source.manifest and source.digest not in kept for source in before)

    if commit.commit_blobs(store, blobs, write):
        collect.collect(store)
    return store.find_image(list_id)


def _save(store: Shelves, record: ImageRecord, contents: Contents) -> None:
    changed = record.replace(manifest=contents.manifest, digest=contents.digest, size=len(contents.manifest))
    store.images_table.insert(changed)
    store.database.execute("DELETE FROM list_sources WHERE image_id = ?", (record.id,))
    store.database.execute("DELETE FROM image_blobs WHERE image_id = ?", (record.id,))
    for source in contents.sources:
        store.database.execute(
            "INSERT INTO list_sources VALUES (?, ?, ?, ?, ?)",
            (record.id, source.digest, source.source, source.manifest, fastjson.dumps(source.files)),
        )
        for digest in _blobs_of(source.manifest):
            store.database.execute("INSERT OR IGNORE INTO image_blobs VALUES (?, ?)", (record.id, digest))


def _blobs_of(manifest: bytes) -> list[str]:
    if not manifest:
        return []
    value = fastjson.loads(manifest)  # this store's own: made by image.manifest_list
    return [value["config"]["digest"], *(layer["digest"] for layer in value["layers"])]
