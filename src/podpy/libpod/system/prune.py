"""Removing what nothing uses: containers that don't run, images without containers, volumes without containers.

The choice was made a moment ago; the transaction that removes something asks again whether it may go, so nothing
is lost that another call has begun to use meanwhile.
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
    """What went (or, in a dry run, would go): ids or names, the bytes that this gives back, and what failed."""

    removed: list[str] = []
    freed: int = 0
    errors: list[PodpyError] = []


def containers(engine: Engine, rows: Sequence[ContainerRow], *, dry_run: bool = False) -> Pruned:
    """Remove those of the containers that don't run."""
    return engine.privileged(lambda: _containers(engine, [r for r in rows if r.status in PRUNABLE], dry_run))


def images(
    engine: Engine, records: Sequence[ImageRecord], *, dry_run: bool = False, unfinished: bool = False
) -> Pruned:
    """Remove those of the images that no container uses and that aren't mounted, and what only they were made of.

    An image that had no name when it was chosen stays if it has one now. `unfinished`: what interrupted pulls have
    received goes, too.
    """
    return engine.privileged(lambda: _images(engine, records, dry_run, unfinished))


def volumes(engine: Engine, names: Sequence[str], *, dry_run: bool = False) -> Pruned:
    """Remove those of the volumes that no container uses."""
    return engine.privileged(lambda: _volumes(engine, names, dry_run))


def images_after(engine: Engine, gone: Collection[str]) -> set[str]:
    """Return the ids of the images that containers use, without those containers."""
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
            continue  # somebody else removed it
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
        size = tree_size(os.path.join(engine.paths.graphroot, "volumes", name))
        try:
            if not dry_run:
                engine.volume_table.remove(name, pruned=True)
        except (InUseError, NotFoundError):
            continue  # somebody uses it now, or was faster
        removed.append(name)
        freed += size
    return Pruned(removed=removed, freed=freed)
