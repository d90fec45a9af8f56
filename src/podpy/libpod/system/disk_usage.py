"""Disk usage of images, containers and volumes (`podpy system df`): blocks, as `du` counts them."""

from __future__ import annotations

import os
from collections import Counter

from podpy.libpod.containers.rows import true_rows
from podpy.libpod.containers.table import BUSY, RUNNING, ContainerRow
from podpy.record import Record
from podpy.storage.images import ImageRecord
from podpy.storage.layers.size import tree_size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.libpod.engine import Engine


class ImageUsage(Record):
    """One image: the bytes that it shares with other images, those of its own, and how many containers use it.

    `image` is a summary (Store.image_summaries).
    """

    image: ImageRecord
    shared: int
    own: int
    containers: int


class ContainerUsage(Record):
    """One container: the bytes of its own directory (its layer, its log), and how many volumes it uses."""

    row: ContainerRow
    size: int
    volumes: int


class VolumeUsage(Record):
    """One volume: its bytes, and how many containers use it."""

    name: str
    size: int
    containers: int


class DiskUsage(Record):
    """The whole store. `images_size` counts shared bytes once; `image prune -a` frees `images_reclaimable`.

    `steps`: images that are only steps of builds, and (`steps_size`) what `image prune --build-cache` frees: of them,
    and what RUN --mount=type=cache keeps.
    """

    images: list[ImageUsage]
    containers: list[ContainerUsage]
    volumes: list[VolumeUsage]
    images_size: int
    images_reclaimable: int
    steps: int = 0
    steps_size: int = 0

    def kinds(self) -> list[KindUsage]:
        """Return a line for each kind, counted as Podman does: an image with two names counts twice in the total and
        once as active; a volume counts as active once for each of its containers.
        """
        steps = KindUsage(
            kind="Build Cache", total=self.steps, active=0, size=self.steps_size, reclaimable=self.steps_size
        )
        return [
            KindUsage(
                kind="Images",
                total=sum(max(1, len(found.image.names)) for found in self.images),
                active=sum(1 for found in self.images if found.containers),
                size=self.images_size,
                reclaimable=self.images_reclaimable,
            ),
            KindUsage(
                kind="Containers",
                total=len(self.containers),
                active=sum(1 for found in self.containers if found.row.status == RUNNING),
                size=sum(found.size for found in self.containers),
                reclaimable=sum(found.size for found in self.idle_containers),
            ),
            KindUsage(
                kind="Local Volumes",
                total=len(self.volumes),
                active=sum(found.containers for found in self.volumes),
                size=sum(found.size for found in self.volumes),
                reclaimable=sum(found.size for found in self.unused_volumes),
            ),
            *([steps] if self.steps or self.steps_size else []),
        ]

    @property
    def idle_containers(self) -> list[ContainerUsage]:
        """The containers that aren't running."""
        return [usage for usage in self.containers if usage.row.status not in BUSY]

    @property
    def unused_volumes(self) -> list[VolumeUsage]:
        """The volumes that no container uses."""
        return [usage for usage in self.volumes if not usage.containers]


class KindUsage(Record):
    """One line of `podpy system df`: the number of objects of a kind, and their bytes."""

    kind: str
    total: int
    active: int
    size: int
    reclaimable: int

    @property
    def percent(self) -> int:
        """The share of the size that removing the unused ones would free, in percent."""
        return int(100 * self.reclaimable / self.size + 0.5) if self.size else 0


def disk_usage(engine: Engine) -> DiskUsage:
    """Return the present disk usage. The size of a layer is stored; everything else is measured now."""
    return engine.privileged(lambda: _measure(engine))


def _measure(engine: Engine) -> DiskUsage:
    space = engine.store.space()
    table = engine.store.images_table
    users = table.user_counts()
    from podpy.storage import build_caches, file_digests

    steps = engine.store.build_steps()
    caches = build_caches.size(engine.store) + file_digests.size(engine.store.graphroot)
    images = [record for record in table.summaries() if record.id not in steps]
    by_image = space.by_image()
    sizes = {record.id: by_image.get(record.id, (0, 0)) for record in images}
    return DiskUsage(
        images=[
            ImageUsage(
                image=record, shared=sizes[record.id][0], own=sizes[record.id][1], containers=users.get(record.id, 0)
            )
            for record in images
        ],
        containers=_containers(engine),
        volumes=_volumes(engine),
        images_size=space.total,
        images_reclaimable=space.freed_by([*steps, *(record.id for record in images if record.id not in users)]),
        steps=len(steps),
        steps_size=(space.freed_by([*steps]) if steps else 0) + caches,
    )


def _containers(engine: Engine) -> list[ContainerUsage]:
    used = Counter(container for container, _ in engine.volume_table.uses())
    return [
        ContainerUsage(row=row, size=tree_size(engine.directory(row.id)), volumes=used[row.id])
        for row in true_rows(engine)
    ]


def _volumes(engine: Engine) -> list[VolumeUsage]:
    used = Counter(name for _, name in engine.volume_table.uses())
    directory = engine.volume_table.directory
    return [
        VolumeUsage(name=name, size=tree_size(os.path.join(directory, name)), containers=used[name])
        for name in (volume.name for volume in engine.volume_table.all())
    ]
