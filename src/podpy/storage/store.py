"""The layer store: how images, layers and blobs come and go.

    graphroot/podpy.sqlite         the rows
    graphroot/blobs/sha256/HEX     compressed layers, as they came
    graphroot/layers/NUMBER/       a layer's files; NUMBER is its row
    graphroot/recipes/NUMBER       what gives its tar again, if its blob isn't kept (storage/recipe.py)
    graphroot/tmp/                 what isn't committed (storage/staging.py)

Every change is made aside, synced, renamed into place inside the transaction that makes it visible. A kill leaves
either the old state, or the old state and things without a row: the next call's `sweep` finds those.
docs/storage.md says what guards what.
"""

from __future__ import annotations

import os

from podpy.errors import StorageError
from podpy.record import Record
from podpy.storage.images import ImageRecord, ImageTable
from podpy.storage.staging import Staging

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from podpy.config.paths import Paths
    from podpy.plan import Operation
    from podpy.storage.blobs import BlobWriter
    from podpy.storage.check import Finding
    from podpy.storage.database.database import Database
    from podpy.storage.layers.usage import ImageSpace
    from podpy.storage.layers.writer import LayerWriter


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


class Store:
    """The images, layers and blobs of one graphroot. One object per process and thread that commits."""

    def __init__(self, paths: Paths, database: Database) -> None:
        self.paths = paths
        self.database = database
        self.graphroot = os.fspath(paths.graphroot)
        self.images_table = ImageTable(database)
        self.staging = Staging(self.graphroot, before_first=self.sweep)
        self.freed: int | None = None  # a number: removals add the bytes that they give back
        self._driver: tuple[str, list[str]] | None = None

    # Look-ups

    def images(self) -> list[ImageRecord]:
        """Return every image, newest first."""
        return self.images_table.all()

    def image_summaries(self, *, digests: bool = False) -> list[ImageRecord]:
        """Return every image without its manifest, configuration and layers (empty), newest first: quickly.

        Their digests only if they are asked for. Of these `is_list` says nothing.
        """
        return self.images_table.summaries(digests=digests)

    def find_image(self, name_or_id: str) -> ImageRecord:
        """Return the image with this full name, id, or beginning of an id. Raises NoSuchImageError, StorageError."""
        return self.images_table.find(name_or_id)

    def image_users(self, image_id: str) -> list[str]:
        """Return the ids of the containers that use an image, oldest first."""
        return self.images_table.users(image_id)

    def has_layer(self, chain_id: str) -> bool:
        """Tell whether the layer is here. From now on it stays, for as long as this process lives, with its blobs.

        To be called in the user's namespaces, as all that stages something: it clears up after killed calls.
        """
        self.staging.path()
        with self.database.transaction():  # between the two its blobs could go
            self._lease(chain_id)
            self.database.execute(
                "INSERT OR IGNORE INTO leases SELECT ?, digest FROM layers JOIN layer_blobs USING (diff_id) "
                "WHERE chain_id = ?",
                (self.staging.name, chain_id),
            )
        return bool(self.database.query("SELECT 1 FROM layers WHERE chain_id = ?", (chain_id,)))

    def has_blob(self, digest: str) -> bool:
        """Tell whether the blob is here. From now on it stays, for as long as this process lives. See has_layer."""
        self._lease(digest)
        return bool(self.database.query("SELECT 1 FROM blobs WHERE digest = ?", (digest,)))

    def blob_path(self, digest: str) -> str:
        """Return where a committed blob's bytes are, or would be. Raises StorageError if it's no sha256 digest."""
        from podpy.storage.blobs import digest_hex

        return os.path.join(self.graphroot, "blobs", "sha256", digest_hex(digest))

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

    # Coming

    def begin_layer(self, *, chain_id: str, parent: str, diff_id: str, recipe: bool = True) -> LayerWriter:
        """Return a writer that unpacks a layer aside. `parent` is a chain id or empty.

        With `recipe`, the tar needn't be kept: see LayerWriter.
        """
        from podpy.storage.layers.writer import LayerWriter

        return LayerWriter(self.staging, chain_id=chain_id, parent=parent, diff_id=diff_id, recipe=recipe)

    def stage_blob(self, digest: str) -> BlobWriter:
        """Return a writer for a blob; it waits while another process receives the same one. See BlobWriter."""
        from podpy.storage.blobs import BlobWriter

        return BlobWriter(self.graphroot, digest)

    def commit_image(
        self,
        record: ImageRecord,
        *,
        layers: Sequence[LayerWriter] = (),
        blobs: Sequence[BlobWriter] = (),
        names: Sequence[str] = (),
        leading: Sequence[bytes] = (),
    ) -> ImageRecord:
        """Make an image visible: one syncfs, renames, one transaction. Return the record as it is now in the store.

        `record.layers` names every layer of the image; those that aren't among `layers` must be here already.
        `record.size` is counted here. `leading`: the manifest list that led to the image, and other manifests whose
        digests shall mean it. Raises StorageError, and then nothing has changed.
        """
        from podpy.storage import commit

        return commit.commit_image(self, record, layers, blobs, names, leading)

    # Names, going

    def tag(self, name_or_id: str, name: str) -> None:
        """Give an image one more (full) name. Raises NoSuchImageError."""
        with self.database.transaction(durable=True):
            self.images_table.give_name(name, self.find_image(name_or_id).id)

    def untag(self, name: str) -> None:
        """Remove a name; the image stays. Raises NoSuchImageError."""
        with self.database.transaction(durable=True):
            self.images_table.drop_name(name)

    def remove_image(self, name_or_id: str, *, force: bool = False, only_unnamed: bool = False) -> list[str]:
        """Remove a name, and the image with its unshared layers and blobs if that was the last one, or if an id was
        given.

        Return lines for the user, as Podman prints them ("Untagged: NAME", "Deleted: ID"). Raises NoSuchImageError;
        InUseError if an id was given and the image has several names, unless `force`; if it has any (meanwhile) and
        `only_unnamed`; always if a container uses it: `rmi --force` first removes those that `image_users` lists.
        """
        from podpy.storage import collect

        return collect.remove_image(self, name_or_id, force=force, only_unnamed=only_unnamed)

    # Containers

    @property
    def driver(self) -> str:
        """How root file systems are mounted: overlay, fuse-overlayfs or vfs. Found out once, inside the user's
        namespaces.
        """
        return self._chosen_driver()[0]

    @property
    def driver_options(self) -> list[str]:
        """The mount options that the driver needs here."""
        return self._chosen_driver()[1]

    def remove_container_layer(self, container_id: str) -> None:
        """Remove containers/ID. Nothing happens if there is none. Raises OSError."""
        self.staging.discard(os.path.join(self.graphroot, "containers", container_id))

    def mount_operations(
        self,
        container_id: str,
        image: ImageRecord | None,
        target: str,
        *,
        read_only: bool = False,
        volatile: bool = False,
        rootfs: str = "",
        rootfs_overlay: bool = False,
        uid_maps: Sequence[tuple[int, int, int]] = (),
        gid_maps: Sequence[tuple[int, int, int]] = (),
    ) -> list[Operation]:
        """Return the operations that mount a container's root file system at `target` (a directory).

        The maps are (inside, host, size) of the container's own user namespace, as in ContainerSpec; empty: none of its
        own.
        """
        from podpy.storage.mounts import root as mounts

        return mounts.operations(
            self,
            container_id,
            image,
            target,
            mounts.MountOptions(
                read_only=read_only,
                volatile=volatile,
                rootfs=rootfs,
                rootfs_overlay=rootfs_overlay,
                uid_maps=[*uid_maps],
                gid_maps=[*gid_maps],
            ),
        )

    # Repair

    def sweep(self) -> list[str]:
        """Remove what killed calls left: in tmp/, their leases, and layers and blobs that nothing uses any more.

        Cheap when there's nothing. Return the names of what was removed.
        """
        from podpy.storage import staging

        killed = staging.of_killed_calls(self.graphroot)
        if not killed:
            return []
        from podpy.storage import collect

        return collect.clear_up(self, killed)

    def check(self, *, repair: bool = False) -> list[Finding]:
        """Compare the rows with the disk; with `repair`, remove what belongs to nothing. Return what is or was wrong.

        This process must be in the user's namespaces.
        """
        from podpy.storage import check

        return check.check(self, repair=repair)

    def collect(self, *, unfinished: bool = False) -> int:
        """Remove every layer and blob that neither an image nor a living call uses. Return how many there were.

        Blobs of interrupted pulls go after a week; with `unfinished` all that nobody receives now.
        """
        from podpy.storage import collect

        return collect.collect(self, unfinished=unfinished)

    def space(self) -> ImageSpace:
        """Return what the images take on the disk. This process must be in the user's namespaces."""
        from podpy.storage.layers import usage

        return usage.measure(self)

    def close(self) -> None:
        """Remove this process's staging directory, its leases, and what only they have kept. Also done by the next
        call's sweep if this one is killed.
        """
        if not self.staging.name:
            return
        if self.database.execute("DELETE FROM leases WHERE staging = ?", (self.staging.name,)):
            from podpy.storage import collect

            collect.remove_if_unused(self)
        self.staging.close()

    def _chosen_driver(self) -> tuple[str, list[str]]:
        if self._driver is None:
            forced = os.environ.get("PODPY_STORAGE_DRIVER")
            name = "" if forced else self.database.get_meta("driver")
            options = [option for option in self.database.get_meta("driver_options").split(",") if option]
            if not name:
                from podpy.storage.mounts import driver

                name, options = driver.choose(self)
                if not forced:
                    with self.database.transaction():
                        self.database.set_meta("driver", name)
                        self.database.set_meta("driver_options", ",".join(options))
            self._driver = (name, options)
        return self._driver

    def _lease(self, name: str) -> None:
        self.staging.path()
        self.database.execute("INSERT OR IGNORE INTO leases VALUES (?, ?)", (self.staging.name, name))
