"""`podpy mount`: a container's root file system at runroot/container-mounts/ID, in the user's own mount namespace.

As image_mounts.py: the kernel says what is mounted, and the mounts end with the namespace. A container that is mounted
when it starts uses the same mount, since the kernel allows an upper directory one overlay only; a removal unmounts it.
"""

from __future__ import annotations

import os

from podpy.errors import StorageError
from podpy.rootless.mounts import mount_points

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.storage.shelves import Shelves

_NAME = "container-mounts"


def place(store: Shelves, container_id: str) -> str:
    """Return where a container is, or would be mounted."""
    return os.path.join(os.path.realpath(store.paths.runroot), _NAME, container_id)


def mounted(store: Shelves) -> dict[str, str]:
    """Return where containers are mounted, by id. Call it in the user's namespaces, as all functions here."""
    directory = os.path.dirname(place(store, "x"))
    split = ((point, point.rpartition("/")) for point in mount_points())
    return {name: point for point, (parent, _, name) in split if parent == directory}


def of_container(store: Shelves, container_id: str) -> str:
    """Return where a container is mounted; an empty text if it isn't."""
    return mounted(store).get(container_id, "")


def attach(store: Shelves, container_id: str, tree: int) -> str:
    """Mount the tree that a descriptor stands for (open_tree(2)), and return where. Raises StorageError."""
    from podpy import linux

    target = place(store, container_id)
    os.makedirs(target, mode=0o700, exist_ok=True)
    try:
        linux.move_mount(tree, "", linux.AT_FDCWD, target, linux.MOVE_MOUNT_F_EMPTY_PATH)
    except OSError as error:
        os.rmdir(target)
        raise StorageError(f"mounting container {container_id[:12]}: {error.strerror}") from error
    return target


def unmount(store: Shelves, container_id: str, *, force: bool = False) -> bool:
    """Unmount a container; `force`: even while somebody is in it. Return whether it was mounted.

    Raises StorageError.
    """
    from podpy.storage.mounts import unmounting

    target = of_container(store, container_id)
    if not target:
        return False
    unmounting.unmount(target, f"container {container_id}", force=force)
    return True
