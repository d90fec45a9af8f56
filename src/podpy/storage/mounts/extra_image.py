"""Another image's files in a container (`--mount type=image`): an overlay of its layers in the run directory."""

from __future__ import annotations

import os

from podpy.errors import NotSupportedError
from podpy.plan import Operation
from podpy.storage.mounts import driver
from podpy.storage.mounts.root import InDirectory, MakeEmptyLayer, MakeMappedLayers, mapping_key

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from podpy.storage.images import ImageRecord
    from podpy.storage.shelves import Shelves

    Maps = Sequence[tuple[int, int, int]]


def operations(
    store: Shelves, image: ImageRecord, target: str, *, own: str = "", maps: tuple[Maps, Maps] = ((), ())
) -> list[Operation]:
    """Return the operations that mount an image's files at `target`.

    `own`: a directory for what is written, made if missing; empty: nothing can be written. The maps are (inside, host,
    size) of the container's own user namespace. Raises NotSupportedError for the driver vfs.
    """
    name, options = driver.found(store)
    if name == driver.VFS:
        raise NotSupportedError(
            "--mount type=image: not with the storage driver vfs", hint="Copy the files: podpy run IMAGE tar … | tar …"
        )
    numbers = [*reversed(store.layer_numbers(image.layers))]
    names = [str(number) for number in numbers]
    made: list[Operation] = []
    if any(maps):
        mapped = [(number, f"{number}-{mapping_key(*maps)}") for number in numbers]
        made.append(MakeMappedLayers(store, mapped, maps))
        names = [f"../mapped/{name}" for _, name in mapped]
    # Without an upper directory overlay wants two lower ones, and an image may have one layer.
    if not own or not names:
        made.append(MakeEmptyLayer(store))
        names.append("empty")
    return [*made, MountLayers(store.graphroot, names, target, own, options, fuse=name == driver.FUSE)]


class MountLayers(Operation):
    """Mount layers, named relative to the directory of the layers, one on the other."""

    def __init__(
        self, graphroot: str, names: Sequence[str], target: str, own: str, options: Sequence[str], *, fuse: bool
    ) -> None:
        self._directory = os.path.join(graphroot, "layers")
        self._root_like = os.path.join(self._directory, names[0])
        self._own = own
        self._target = target
        self._fuse = fuse
        writable = (f"upperdir={_escaped(own)}/upper", f"workdir={_escaped(own)}/work") if own else ()
        self._data = ",".join((f"lowerdir={':'.join(names)}", *writable, *options))

    def describe(self) -> str:
        """Return what is mounted where."""
        return f"mount an image at {self._target} ({self._data}; in {self._directory})"

    def execute(self) -> None:
        """Mount it. Raises OSError."""
        from podpy import linux

        os.makedirs(self._target, mode=0o755, exist_ok=True)
        if self._own:
            self._make_upper()
        with InDirectory(self._directory):
            if self._fuse:
                driver.run_fuse_overlayfs(self._data, self._target)
            else:
                linux.mount("overlay", self._target, "overlay", 0 if self._own else linux.MS_RDONLY, self._data)

    def _make_upper(self) -> None:
        """Make the directories for what is written; the mounted root looks like the topmost layer's (overlay's)."""
        upper = os.path.join(self._own, "upper")
        if os.path.isdir(upper):
            return
        os.makedirs(os.path.join(self._own, "work"), mode=0o700, exist_ok=True)
        status = os.stat(self._root_like)
        aside = upper + ".new"
        os.makedirs(aside, exist_ok=True)
        os.chown(aside, status.st_uid, status.st_gid)
        os.chmod(aside, status.st_mode & 0o7777)
        os.rename(aside, upper)


def _escaped(path: str) -> str:
    # Overlay's option parser takes : and , for separators (Documentation/filesystems/overlayfs.rst).
    return path.replace("\\", "\\\\").replace(":", "\\:").replace(",", "\\,")
