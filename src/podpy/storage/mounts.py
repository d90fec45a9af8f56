"""Mounting a container's root file system: kernel overlay, fuse-overlayfs, or a plain copy (vfs)."""

from __future__ import annotations

import os

from podpy.errors import StorageError
from podpy.plan import Operation
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.storage.images import ImageRecord
    from podpy.storage.store import Store


class MountOptions(Record):
    """How a container wants its root file system."""

    read_only: bool = False
    volatile: bool = False
    rootfs: str = ""
    rootfs_overlay: bool = False
    uid_maps: list[tuple[int, int, int]] = []
    gid_maps: list[tuple[int, int, int]] = []


class MakeContainerLayer(Operation):
    """The container's own layer: containers/ID with upper and work."""

    def __init__(self, store: Store, container_id: str) -> None:
        self._path = os.path.join(store.graphroot, "containers", container_id)

    def describe(self) -> str:
        return f"make the container's layer {self._path}"

    def execute(self) -> None:
        for name in ("upper", "work"):
            os.makedirs(os.path.join(self._path, name), mode=0o700, exist_ok=True)
        os.chmod(os.path.join(self._path, "upper"), 0o755)


class RemoveContainerLayer(Operation):
    """Remove containers/ID, by a rename and then rm -r."""

    def __init__(self, store: Store, container_id: str) -> None:
        self._store = store
        self._path = os.path.join(store.graphroot, "containers", container_id)

    def describe(self) -> str:
        return f"remove the container's layer {self._path}"

    def execute(self) -> None:
        self._store.staging.discard(self._path)


class MountOverlay(Operation):
    """Mount the layers and the container's own on top. Paths are relative to layers/, so 500 lower layers fit."""

    def __init__(self, graphroot: str, container_id: str, numbers: list[int], target: str, options: str) -> None:
        self._directory = os.path.join(graphroot, "layers")
        self.target = target
        lower = ":".join(str(number) for number in reversed(numbers))
        own = f"../containers/{container_id}"
        self.data = f"lowerdir={lower},upperdir={own}/upper,workdir={own}/work{options}"

    def describe(self) -> str:
        return f"mount overlay at {self.target} ({self.data}; in {self._directory})"

    def execute(self) -> None:
        from podpy import linux

        here = os.open(".", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.chdir(self._directory)
            linux.mount("overlay", self.target, "overlay", 0, self.data)
        finally:
            os.fchdir(here)
            os.close(here)


def operations(
    store: Store, container_id: str, image: ImageRecord | None, target: str, options: MountOptions
) -> list[Operation]:
    """See Store.mount_operations."""
    if image is None:
        raise StorageError("a container without an image isn't possible yet")
    numbers = store.layer_numbers(image.layers)
    extra = ",userxattr" if os.geteuid() or store.paths.rootless else ""
    return [MountOverlay(store.graphroot, container_id, numbers, target, extra)]
