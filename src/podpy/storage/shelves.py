"""What the store's parts work on: where things lie, their rows, this process's staging directory and its leases.

Commits, removals, checks and mounts are functions that take a `Shelves`; `Store`, above them, puts them together.
"""

from __future__ import annotations

import os

from podpy.errors import PodpyError, StorageError
from podpy.record import Record
from podpy.storage.images import ImageRecord, ImageTable
from podpy.storage.staging import Staging

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from podpy.config.paths import Paths
    from podpy.storage.database.database import Database


class Removed(Record):
    """What a removal took away: lines that tell it, and the bytes on the disk if they were to be measured."""

    lines: list[str] = []
    bytes: int = 0


class LayerFacts(Record):
    """A layer's diff id, its bytes, and the chain id of the one below it (empty: none)."""

    diff_id: str
    size: int
    parent: str


class StoredLayer(Record):
    """A committed layer: `recipe` is its recipe's size (0: none), `tar_size` the uncompressed tar's (-1: not known).

    `blobs` are the digests and sizes of kept blobs that decompress to it, the smallest first.
    """

    chain_id: str
    number: int
    diff_id: str
    recipe: int
    tar_size: int
    blobs: list[tuple[str, int]]


class Coming:
    """What `Shelves.coming_by` returns. The outermost one counts."""

    def __init__(self, store: Shelves, action: str, name: str, kind: str) -> None:
        self._store = store
        self._way = (action, name)
        self._kind = kind

    def __enter__(self) -> None:
        self._before = self._store._coming
        self._store._coming = self._before or self._way

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._store._coming = self._before
        action, name = self._way
        if action == "pull" and self._kind == "image" and self._before is None and isinstance(error, PodpyError):
            from podpy.storage.database.events import tell_if_possible

            tell_if_possible(self._store.database, "image", "pull-error", "", name, Error=error.message)


class Shelves:
    """The rows and files of one graphroot. One object per process and thread that commits."""

    def __init__(self, paths: Paths, database: Database) -> None:
        self.paths = paths
        self.database = database
        self.graphroot = os.fspath(paths.graphroot)
        self.images_table = ImageTable(database)
        self.staging = Staging(self.graphroot)
        self.driver_found: tuple[str, list[str]] | None = None  # mounts/driver.py: asked for once
        self._coming: tuple[str, str] | None = None

    def coming_by(self, action: str, name: str, *, kind: str = "image") -> Coming:
        """Return a context: an image or artifact that is committed in it comes by this action, from what is so named.

        Actions are podman-events(1)'s: pull, loadfromarchive, import, create. If the context of an image's pull ends
        with an error, that is told, too.
        """
        return Coming(self, action, name, kind)

    def tell_coming(self, kind: str, identifier: str) -> None:
        """Tell that an image or artifact has come; part of the transaction that commits it."""
        if self._coming is not None:
            from podpy.storage.database.events import tell

            action, name = self._coming
            tell(self.database, kind, action, identifier, name)

    def images(self) -> list[ImageRecord]:
        """Return every image, newest first."""
        return self.images_table.all()

    def image_summaries(self, *, digests: bool = False) -> list[ImageRecord]:
        """Return every image without its manifest, configuration and layers (empty), newest first: quickly.

        Their digests only if they are asked for. Don't ask these for `is_list`.
        """
        return self.images_table.summaries(digests=digests)

    def build_steps(self) -> set[str]:
        """Return the ids of the images that are only steps of builds: lists leave them out."""
        from podpy.storage.build_cache import BuildCache

        return BuildCache(self.database).steps() if self.database.query("SELECT 1 FROM build_cache LIMIT 1") else set()

    def find_image(self, name_or_id: str) -> ImageRecord:
        """Return the image with this full name, id, or beginning of an id. Raises NoSuchImageError, StorageError."""
        return self.images_table.find(name_or_id)

    def image_users(self, image_id: str) -> list[str]:
        """Return the ids of the containers that use an image, oldest first."""
        return self.images_table.users(image_id)

    def has_layer(self, chain_id: str) -> bool:
        """Return whether the layer is stored, and take a lease on it.

        Neither the layer nor its blobs are collected while this process lives. This process must be in the user's
        namespaces: the first call of its kind clears up after killed calls.
        """
        self.staging.path()
        with self.database.transaction():  # else its blobs could go between lease and look
            self._lease(chain_id)
            self.database.execute(
                "INSERT OR IGNORE INTO leases SELECT ?, digest FROM layers JOIN layer_blobs USING (diff_id) "
                "WHERE chain_id = ?",
                (self.staging.name, chain_id),
            )
        return bool(self.database.query("SELECT 1 FROM layers WHERE chain_id = ?", (chain_id,)))

    def has_blob(self, digest: str) -> bool:
        """Return whether the blob is stored, and take a lease: it stays while this process lives. See has_layer."""
        self._lease(digest)
        return bool(self.database.query("SELECT 1 FROM blobs WHERE digest = ?", (digest,)))

    def blob_path(self, digest: str) -> str:
        """Return where a committed blob's bytes are, or would be. Raises StorageError if it's no sha256 digest."""
        from podpy.storage.blobs import digest_hex

        return os.path.join(self.graphroot, "blobs", "sha256", digest_hex(digest))

    def forget_blob(self, digest: str) -> None:
        """Remove a kept blob that isn't what its digest says: the image works without it."""
        self.database.execute("DELETE FROM blobs WHERE digest = ?", (digest,))
        self.staging.discard(self.blob_path(digest))

    def layer_path(self, chain_id: str) -> str:
        """Return a committed layer's directory. Raises StorageError."""
        return os.path.join(self.graphroot, "layers", str(self.layer_numbers([chain_id])[0]))

    def layer_numbers(self, chain_ids: Sequence[str]) -> list[int]:
        """Return the directory names of layers, in the same order. Raises StorageError if one is missing."""
        marks = ", ".join("?" * len(chain_ids))
        rows = self.database.query(f"SELECT chain_id, number FROM layers WHERE chain_id IN ({marks})", tuple(chain_ids))
        numbers = dict(rows)
        missing = [chain_id for chain_id in chain_ids if chain_id not in numbers]
        if missing:
            raise StorageError(f"layer {missing[0]} isn't in the store", hint="Pull the image again")
        return [numbers[chain_id] for chain_id in chain_ids]

    def recipe_path(self, number: int) -> str:
        """Return where the recipe of the layer with this number is, or would be."""
        return os.path.join(self.graphroot, "recipes", str(number))

    def stored_layer(self, chain_id: str) -> StoredLayer:
        """Return what is known about a committed layer. Raises StorageError."""
        number = self.layer_numbers([chain_id])[0]
        row = self.database.query("SELECT diff_id, recipe, tar_size FROM layers WHERE number = ?", (number,))[0]
        diff_id, recipe, tar_size = row
        query = "SELECT digest, size FROM layer_blobs JOIN blobs USING (digest) WHERE diff_id = ? ORDER BY size"
        blobs = self.database.query(query, (diff_id,))
        return StoredLayer(
            chain_id=chain_id, number=number, diff_id=diff_id, recipe=recipe, tar_size=tar_size, blobs=blobs
        )

    def all_layers(self) -> dict[str, LayerFacts]:
        """Return what is known about every committed layer, by chain id."""
        query = "SELECT chain_id, diff_id, size, parent FROM layers"
        return {
            chain: LayerFacts(diff_id=diff_id, size=size, parent=parent or "")
            for chain, diff_id, size, parent in self.database.query(query)
        }

    def tag(self, name_or_id: str, name: str) -> None:
        """Give an image one more (full) name. Raises NoSuchImageError."""
        from podpy.storage.database.events import tell

        with self.database.transaction(durable=True):
            image_id = self.find_image(name_or_id).id
            self.images_table.give_name(name, image_id)
            tell(self.database, "image", "tag", image_id, name)

    def untag(self, name: str) -> None:
        """Remove a name; the image stays. Raises NoSuchImageError."""
        with self.database.transaction(durable=True):
            self.images_table.drop_name(name)

    def remove_container_layer(self, container_id: str) -> None:
        """Remove containers/ID. Nothing happens if there is none. Raises OSError."""
        self.staging.discard(os.path.join(self.graphroot, "containers", container_id))

    def _lease(self, name: str) -> None:
        self.staging.path()
        self.database.execute("INSERT OR IGNORE INTO leases VALUES (?, ?)", (self.staging.name, name))
