"""Volumes of the driver `image`: an image's files, which containers may change (podman-volume-create(1)).

They are copied when the volume is made, with reflinks where the file system has them. Podman mounts an overlay at each
use instead; but a second mount of the same upper directory is undefined (overlayfs.rst), and an image would be in use
as long as there is the volume.
"""

from __future__ import annotations

import os

from podpy.errors import NoSuchImageError, UsageError
from podpy.image.names.lookup import find_image
from podpy.storage.layers import copying, filesystem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from podpy.libpod.engine import Engine
    from podpy.storage.images import ImageRecord
    from podpy.storage.volumes.volume import Volume

_DRIVER = "image"


def create(
    engine: Engine,
    name: str,
    *,
    labels: Mapping[str, str] | None,
    options: Mapping[str, str],
    owner: tuple[int | None, int | None],
    part_of: str = "",
) -> Volume:
    """Make a volume with the files of the image that `options` names; `part_of` as for VolumeTable.create.

    This process must be in the user's namespaces.

    Raises UsageError, NoSuchImageError, InUseError for a taken name, StorageError, OSError.
    """
    image = _image_of(options)
    try:
        record = find_image(engine.store, engine.paths, image)
    except NoSuchImageError as error:
        error.message = f"looking up image {image} to create volume failed: {error.message}"
        raise
    table = engine.volume_table
    staging = table.new_staging()
    try:
        files = staging.new_path("volume")
        _copy(engine, record, files)
        return table.create(
            name, labels=labels, options=options, owner=owner, driver=_DRIVER, files=files, part_of=part_of
        )
    finally:
        staging.close()


def _image_of(options: Mapping[str, str]) -> str:
    image = ""
    for key, value in options.items():
        if key.lower() != "image":
            raise UsageError(f"invalid mount option {key} for driver 'image': invalid argument")
        image = value
    if not image:
        raise UsageError(
            "must provide an image name when creating a volume with the image driver: invalid argument",
            hint="podpy volume create --driver image --opt image=IMAGE NAME",
        )
    return image


def _copy(engine: Engine, record: ImageRecord, target: str) -> None:
    """Copy an image's files into the new directory `target`; they are on the disk then."""
    store = engine.store
    for layer in record.layers:
        store.has_layer(layer)  # a lease: it stays until this call ends
    os.mkdir(target, 0o755)
    for number in store.layer_numbers(record.layers):
        copying.copy_tree(os.path.join(store.graphroot, "layers", str(number)), target, merge=True)
    filesystem.sync_filesystem(target)
