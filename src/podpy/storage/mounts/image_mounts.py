"""`podpy image mount`: an image's files, read-only, at runroot/mounts/ID.

The mounts are in the user's own mount namespace (that of `podpy unshare`; real root's is the host's): they end with it,
at the latest with the boot. The kernel says what is mounted, so no row can be wrong about it. A mounted image
can't be removed: mounting and removing both hold the database's write lock.
"""

from __future__ import annotations

import os

from podpy.errors import InUseError, NoSuchImageError, NotSupportedError, StorageError
from podpy.rootless.mounts import mount_points

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.storage.images import ImageRecord
    from podpy.storage.shelves import Shelves


def mounted(store: Shelves) -> dict[str, str]:
    """Return where images are mounted, by id. Call it in the user's namespaces, as all functions here."""
    directory = os.path.realpath(_directory(store))
    split = ((point, point.rpartition("/")) for point in mount_points())
    return {name: point for point, (parent, _, name) in split if parent == directory}


def mount(store: Shelves, record: ImageRecord) -> str:
    """Mount an image, if it isn't yet, and return where. Raises NoSuchImageError, NotSupportedError, StorageError."""
    from podpy import linux
    from podpy.storage.mounts import driver
    from podpy.storage.mounts.root import InDirectory, MakeEmptyLayer

    target = os.path.join(_directory(store), record.id)
    name, options = driver.found(store)
    if name != driver.OVERLAY:
        raise NotSupportedError(f"image mount: not with the storage driver {name}", hint="Use podpy run")
    with store.database.transaction() as database:
        if not database.query("SELECT 1 FROM images WHERE id = ?", (record.id,)):
            raise NoSuchImageError(f"{record.id[:12]}: image not known")
        if record.id in mounted(store):
            return target
        MakeEmptyLayer(store).execute()
        # Without an upper directory overlay wants two lower ones, and an image may have one layer.
        names = [*(str(number) for number in reversed(store.layer_numbers(record.layers))), "empty"]
        data = ",".join((f"lowerdir={':'.join(names)}", *options))
        os.makedirs(target, mode=0o700, exist_ok=True)
        try:
            with InDirectory(os.path.join(store.graphroot, "layers")):
                linux.mount("overlay", target, "overlay", linux.MS_RDONLY, data)
        except OSError as error:
            os.rmdir(target)
            raise StorageError(f"mounting image {record.id[:12]}: {error.strerror}") from error
    return target


def unmount(store: Shelves, image_id: str, *, force: bool = False) -> bool:
    """Unmount an image; `force`: even while somebody is in it. Return whether it was mounted. Raises StorageError."""
    from podpy.storage.mounts import unmounting

    target = mounted(store).get(image_id)
    if target is None:
        return False
    unmounting.unmount(target, f"image {image_id[:12]}", force=force)
    return True


def refuse_if_mounted(store: Shelves, image_id: str) -> None:
    """Raise InUseError if the image is mounted. To be called in the transaction that removes it."""
    if image_id in mounted(store):
        raise InUseError(
            f"image {image_id[:12]} is mounted", hint=f"podpy image unmount {image_id[:12]}, or podpy rmi --force"
        )


def _directory(store: Shelves) -> str:
    return os.path.join(store.paths.runroot, "mounts")
