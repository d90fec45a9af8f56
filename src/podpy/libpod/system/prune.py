"""Removes unused objects: stopped containers, and images and volumes without containers.

The objects were chosen earlier, so the transaction that removes one checks again whether it is unused: nothing is lost
that another call has begun to use meanwhile.
"""

from __future__ import annotations

import os

from podpy.errors import InUseError, NoSuchContainerError, NoSuchImageError, NotFoundError, PodpyError
from podpy.libpod.containers.ending.remove import remove
from podpy.libpod.containers.held import find
from podpy.libpod.containers.table import CREATED, EXITED
from podpy.record import Record
from podpy.storage.layers.size import tree_size
from podpy.storage.mounts import image_mounts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from podpy.libpod.containers.table import ContainerRow
    from podpy.libpod.engine import Engine
    from podpy.storage.images import ImageRecord

PRUNABLE = (CREATED, EXITED)


class Pruned(Record):
    """The result of a prune (or dry run): ids or names of removed objects, freed bytes, and errors."""

    removed: list[str] = []
    freed: int = 0
    errors: list[PodpyError] = []


def containers(engine: Engine, rows: Sequence[ContainerRow], *, dry_run: bool = False) -> Pruned:
    """Remove the stopped ones of these containers."""
    stopped = [row for row in rows if row.status in PRUNABLE]
    if any(row.pod for row in stopped):  # infra containers go with their pods
        from podpy.libpod.pods.table import PodTable

        infra = PodTable(engine.database).infra_ids()
        stopped = [row for row in stopped if row.id not in infra]
    return engine.privileged(lambda: _containers(engine, stopped, dry_run))


def images(
    engine: Engine,
    records: Sequence[ImageRecord],
    *,
    dry_run: bool = False,
    unfinished: bool = False,
    caches: bool = False,
) -> Pruned:
    """Remove those of these images that no container uses and that aren't mounted, with layers that only they have.

    An image that had no name when it was chosen stays if it has one now. `unfinished`: also remove data of interrupted
    pulls. `caches`: also what RUN --mount=type=cache keeps, and digests of contexts' files.
    """

    def work() -> Pruned:
        pruned = _images(engine, records, dry_run, unfinished)
        if not caches:
            return pruned
        from podpy.storage import build_caches, file_digests

        freed = build_caches.remove(engine.store, dry_run=dry_run)
        freed += file_digests.remove(engine.store.graphroot, dry_run=dry_run)
        return pruned.replace(freed=pruned.freed + freed)

    return engine.privileged(work)


def volumes(engine: Engine, names: Sequence[str], *, dry_run: bool = False) -> Pruned:
    """Remove those of these volumes that no container uses."""
    return engine.privileged(lambda: _volumes(engine, names, dry_run))


def images_after(engine: Engine, gone: Collection[str]) -> set[str]:
    """Return the ids of the images that containers use, except those in `gone`."""
    return {image for image, users in engine.table.image_users().items() if not set(users).issubset(gone)}


def _containers(engine: Engine, rows: Sequence[ContainerRow], dry_run: bool) -> Pruned:
    removed, errors = [], []
    ids = {row.id for row in rows}
    freed = 0 if dry_run else engine.store.sweep(measure=True).bytes
    for row in rows:
        size = tree_size(engine.directory(row.id))
        try:
            if not dry_run:
                remove(find(engine, row.id), force=False, volumes=False, timeout=None, going=ids)
        except NoSuchContainerError:
            continue  # another call has removed it
        except PodpyError as error:
            errors.append(error)
            continue
        removed.append(row.id)
        freed += size
    return Pruned(removed=removed, freed=freed, errors=errors)


def _images(engine: Engine, records: Sequence[ImageRecord], dry_run: bool, unfinished: bool) -> Pruned:
    store = engine.store
    mounted = image_mounts.mounted(store)
    records = [record for record in records if record.id not in mounted]
    if dry_run:
        return Pruned(
            removed=[record.id for record in records],
            freed=store.space().freed_by([record.id for record in records], unfinished=unfinished),
        )
    freed = store.sweep(measure=True).bytes
    removed = []
    for record in records:
        try:
            gone = store.remove_image(record.id, force=True, only_unnamed=not record.names, measure=True)
        except (InUseError, NoSuchImageError):
            continue  # somebody uses it now, or was faster
        removed.append(record.id)
        freed += gone.bytes
    freed += store.collect(unfinished=unfinished, measure=True).bytes
    return Pruned(removed=removed, freed=freed)


def _volumes(engine: Engine, names: Sequence[str], dry_run: bool) -> Pruned:
    removed, freed = [], 0
    for name in names:
        size = tree_size(os.path.join(engine.volume_table.directory, name))
        try:
            if not dry_run:
                engine.volume_table.remove(name, pruned=True)
        except (InUseError, NotFoundError):
            continue  # somebody uses it now, or was faster
        removed.append(name)
        freed += size
    return Pruned(removed=removed, freed=freed)
