"""`podpy commit`: a container's own layer, its image's layers and its options become an image.

    the container's layer ─ pack (child) ─ sha256 (diff id) ─ unpack (child) → files and recipe ┐ one transaction
    the image's configuration + the container's + --change ─────────────────────────────────────┘

The layer's tar isn't stored: its recipe reproduces it (storage.md). Nothing is visible before the transaction.
"""

from __future__ import annotations

from time import time_ns

from podpy.digests import sha256
from podpy.errors import ImageError, NotSupportedError, UsageError
from podpy.image.documents.committed import Commit, RunWith, committed, parsed_override
from podpy.image.documents.config import ImageConfig
from podpy.image.names.reference import for_new_image
from podpy.image.progress import SILENT, Progress
from podpy.libpod.containers.contents import own_layer
from podpy.libpod.containers.contents.options import CommitOptions
from podpy.libpod.containers.contents.pausing import HeldStill
from podpy.libpod.containers.contents.view import View
from podpy.libpod.containers.names import is_id
from podpy.libpod.images.making import FORMATS, stacked, with_manifest, written_layer
from podpy.times import rfc3339

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator

    from podpy.libpod.containers.held import Held
    from podpy.spec.container import ContainerSpec
    from podpy.storage.images import ImageRecord
    from podpy.storage.layers.writer import LayerWriter

_SIGTERM = 15


def commit(
    container: Held, name: str = "", options: CommitOptions | None = None, progress: Progress = SILENT
) -> ImageRecord:
    """Return the new image; `name`: its name (a short one is localhost's), or empty for none.

    Raises UsageError, NotSupportedError (--rootfs; or it can't be paused), ImageError, StorageError, NoSpaceError.
    """
    options = options or CommitOptions()
    _check(options)
    names = [for_new_image(name)] if name else []
    if container.spec.rootfs:
        raise NotSupportedError("cannot commit a container that uses an exploded rootfs")
    image = container.image
    if image is None:
        raise ImageError("the container's image isn't there any more", hint="podpy export | podpy import makes one")
    store = container.engine.store
    below = [] if options.squash else ImageConfig.parse(image.config).diff_ids
    for chain in image.layers:
        store.has_layer(chain)  # takes a lease: the layers stay until the new image is committed
    for diff_id in below:
        progress.layer_exists(diff_id)
    with container.locked(), HeldStill(container, wanted=options.pause):
        layer = _layer(container, image, progress, squash=options.squash)
    diff_ids = [*below, layer.diff_id]
    now = time_ns()
    said = Commit(
        author=options.author,
        changes=options.changes,
        config=options.config,
        message=options.message,
        created=rfc3339(now, utc=True),
        source=container.row.image_name or container.row.image_id,
    )
    run = _run_with(container, include_volumes=options.include_volumes)
    config = committed(image.config, run, said, diff_ids, squash=options.squash)
    progress.config(sha256(config))
    ImageConfig.parse(config)  # the container's options and --change must give a valid configuration
    record = stacked(config, diff_ids, [layer], created=now)
    unsquashed = None if options.squash else image
    record = with_manifest(store, record, unsquashed, [layer], docker=options.format == "docker")
    progress.committing()
    made = store.commit_image(record, layers=[layer], names=names)
    container.engine.table.tell(container.id, "commit")
    return made


def _check(options: CommitOptions) -> None:
    from podpy.image.documents import changes

    if options.format not in FORMATS:
        raise UsageError(f'unrecognized image format "{options.format}"', hint="oci or docker")
    if options.message and options.format != "docker":
        raise UsageError("messages are only compatible with the docker image format (-f docker)")
    parsed_override(options.config)
    changes.apply({}, options.changes)  # a wrong change must be an error before any work


def _layer(container: Held, image: ImageRecord, progress: Progress, *, squash: bool) -> LayerWriter:
    """Return the new layer, unpacked in the staging area."""
    store = container.engine.store
    parent = image.layers[-1] if image.layers and not squash else ""
    pieces = _pieces(container, squash=squash)
    try:
        return written_layer(store, parent, pieces, name=f"layer of {container.id[:12]}", progress=progress)
    finally:
        pieces.close()


def _pieces(container: Held, *, squash: bool) -> Generator[bytes]:
    spec = container.spec
    maps = (
        [(line.container, line.host, line.size) for line in spec.uid_maps],
        [(line.container, line.host, line.size) for line in spec.gid_maps],
    )
    if not squash:
        yield from own_layer.changes(container, maps)
        return
    with View(container, mounts=False) as view:
        yield from own_layer.whole(view.root, maps, own_layer.placeholders(view.path))


def _run_with(container: Held, *, include_volumes: bool) -> RunWith:
    from podpy import fastjson
    from podpy.signals import name_of, number_of

    spec = container.spec
    image = ImageConfig.parse(container.image.config) if container.image else ImageConfig()
    entrypoint = spec.entrypoint or []
    ports = [f"{port['container_port'] + i}/{port['protocol']}" for port in fastjson.loads(container.row.ports)
             for i in range(port.get("count", 1))]  # fmt: skip
    signal = spec.stop_signal not in (0, _SIGTERM, number_of(image.stop_signal))
    return RunWith(
        entrypoint=entrypoint,
        command=spec.command[len(entrypoint) :],
        env=spec.env,
        user=spec.user,
        workdir=spec.workdir,
        labels=spec.shown_labels,
        ports=[*spec.expose, *ports],
        volumes=_volumes(spec, include_volumes=include_volumes),
        stop_signal=name_of(spec.stop_signal) if signal else "",
    )


def _volumes(spec: ContainerSpec, *, include_volumes: bool) -> list[str]:
    """Return the targets of the user's mounts that become volumes of the image; the image's own volumes stay."""
    mounts = [mount for mount in spec.mounts if mount.type in ("volume", "bind") and not mount.from_image]
    return [mount.target for mount in mounts if include_volumes or (mount.type == "volume" and is_id(mount.source))]
