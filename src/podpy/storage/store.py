"""The layer store: how images, layers and blobs come and go.

    graphroot/podpy.sqlite         the rows
    graphroot/blobs/sha256/HEX     compressed layers, as they came
    graphroot/layers/NUMBER/       a layer's files; NUMBER is its row
    graphroot/recipes/NUMBER       what gives its tar again, if its blob isn't kept (storage/layers/recipe.py)
    graphroot/tmp/                 what isn't committed (storage/staging.py)

Every change is made aside, synced, renamed into place inside the transaction that makes it visible. A kill leaves
either the old state, or the old state and things without a row: the next call's `sweep` finds those.
docs/storage.md says what guards what.
"""

from __future__ import annotations

import os

from podpy.storage.shelves import Removed, Shelves

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from podpy.config.paths import Paths
    from podpy.plan import Operation
    from podpy.storage.blobs import BlobWriter
    from podpy.storage.check import Finding
    from podpy.storage.database.database import Database
    from podpy.storage.images import ImageRecord
    from podpy.storage.layers.usage import ImageSpace
    from podpy.storage.layers.writer import LayerWriter


class Store(Shelves):
    """The images, layers and blobs of one graphroot: its shelves, and what is done with them."""

    def __init__(self, paths: Paths, database: Database) -> None:
        super().__init__(paths, database)
        self.staging.before_first = self.sweep

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
        parents: Sequence[bytes] = (),
        before: Sequence[ImageRecord] = (),
        also: Callable[[], object] | None = None,
    ) -> ImageRecord:
        """Make an image visible: one syncfs, renames, one transaction. Return the record as it is now in the store.

        `record.layers` names every layer of the image; those that aren't among `layers` must be here already.
        `record.size` is counted here. `parents`: the manifest list that led to the image, and other manifests whose
        digests shall mean it. `before`: images of the same layers, or fewer, that become
        visible with it. `also`: what else the transaction does. Raises StorageError, and then nothing has changed.
        """
        from podpy.storage import commit

        return commit.commit_image(self, record, layers, blobs, names, parents, before, also)

    def replace_layer(
        self, image: ImageRecord, layer: LayerWriter, blobs: Sequence[BlobWriter], check: Callable[[], None]
    ) -> None:
        """Put an unpacked layer where a committed one was lost or damaged; `image` is one that has it.

        Whoever has the former one mounted loses its files: `check`, in the same transaction, raises if somebody has.
        Raises StorageError, OSError, and what `check` raises.
        """
        from podpy.storage import commit

        commit.replace_layer(self, image, layer, blobs, check)

    # Going

    def remove_image(
        self, name_or_id: str, *, force: bool = False, only_unnamed: bool = False, measure: bool = False
    ) -> Removed:
        """Remove a name, and the image with its unshared layers and blobs if that was the last one, or if an id was
        given.

        Return lines for the user, as Podman prints them ("Untagged: NAME", "Deleted: ID"), and with `measure` the bytes
        that this gave back: each tree that goes is walked for it. Raises NoSuchImageError;
        InUseError if an id was given and the image has several names, unless `force`; if it has any (meanwhile) and
        `only_unnamed`; always if a container uses it: `rmi --force` first removes those that `image_users` lists.
        """
        from podpy.storage import collect

        return collect.remove_image(self, name_or_id, force=force, only_unnamed=only_unnamed, measure=measure)

    # Containers

    @property
    def driver(self) -> str:
        """How root file systems are mounted: overlay, fuse-overlayfs or vfs. Found out once, inside the user's
        namespaces.
        """
        from podpy.storage.mounts import driver

        return driver.found(self)[0]

    @property
    def driver_options(self) -> list[str]:
        """The mount options that the driver needs here."""
        from podpy.storage.mounts import driver

        return driver.found(self)[1]

    def mount_operations(
        self,
        container_id: str,
        image: ImageRecord | None,
        target: str,
        *,
        read_only: bool = False,
        volatile: bool = False,
        brief: bool = False,
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
                brief=brief,
                rootfs=rootfs,
                rootfs_overlay=rootfs_overlay,
                uid_maps=[*uid_maps],
                gid_maps=[*gid_maps],
            ),
        )

    # Repair

    def sweep(self, *, measure: bool = False) -> Removed:
        """Remove what killed calls left: in tmp/, their leases, and layers and blobs that nothing uses any more.

        Cheap when there's nothing. Return the names of what was removed.
        """
        from podpy.storage import staging

        killed = staging.of_killed_calls(self.graphroot)
        gone = self._sweep_volumes() if os.path.islink(f"{self.graphroot}/volumes") else []
        if not killed:
            return Removed(lines=gone)
        from podpy.storage import collect

        removed = collect.clear_up(self, killed, measure=measure)
        return Removed(lines=[*gone, *removed.lines], bytes=removed.bytes)

    def _sweep_volumes(self) -> list[str]:
        from podpy.storage.volumes import place

        return place.sweep(self.graphroot)

    def check(self, *, repair: bool = False) -> list[Finding]:
        """Compare the rows with the disk; with `repair`, remove what belongs to nothing. Return what is or was wrong.

        This process must be in the user's namespaces.
        """
        from podpy.storage import check

        findings = check.check(self, repair=repair)
        if repair:
            findings += check.swept(self.sweep())
        return findings

    def collect(self, *, unfinished: bool = False, measure: bool = False) -> Removed:
        """Remove every layer and blob that neither an image nor a living call uses. Return their paths.

        Blobs of interrupted pulls go after a week; with `unfinished` all that nobody receives now.
        """
        from podpy.storage import collect

        return collect.collect(self, unfinished=unfinished, measure=measure)

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
