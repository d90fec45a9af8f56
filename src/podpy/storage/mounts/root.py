"""Mounting a container's root file system.

    overlay          the kernel's; in a user namespace with `userxattr` (Linux 5.11)
    fuse-overlayfs   where the kernel refuses that: old kernels, file systems without user.* attributes
    vfs              a whole copy of the image per container: works everywhere, slow and large

Which one is found out once (driver.py) and recorded in the database. The mounts are made in the mount namespace
of the call that starts the container and vanish with it: nothing is ever unmounted here.
"""

from __future__ import annotations

import os

from podpy.errors import StorageError
from podpy.plan import Operation
from podpy.record import Record
from podpy.storage.mounts import driver

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from podpy.storage.images import ImageRecord
    from podpy.storage.shelves import Shelves

    Maps = Sequence[tuple[int, int, int]]

_EINVAL = 22
_EPERM = 1
_LONGEST_KEY = 12  # 127 layers, Docker's limit, must fit into the one page of overlay's options


class MountOptions(Record):
    """How a container wants its root file system. The maps are (inside, host, size).

    `volatile`: the container ends with its boot at the latest, so nothing of it needs to be on the disk. `brief`: the
    mount is a single call's, and its end doesn't wait for the disk: otherwise the kernel then writes everything of the
    file system that holds the container's layer, also of other programs (fs/overlayfs/super.c, ovl_sync_fs).
    """

    read_only: bool = False  # the OCI runtime makes the root read-only; mount points must still be made in it
    volatile: bool = False
    brief: bool = False
    rootfs: str = ""
    rootfs_overlay: bool = False
    uid_maps: list[tuple[int, int, int]] = []
    gid_maps: list[tuple[int, int, int]] = []


class MakeContainerLayer(Operation):
    """Make containers/ID with `upper` and `work`. Nothing happens if it's there.

    `root_like` is a directory whose owner and mode the container's root gets: overlay shows the topmost directory's.
    """

    def __init__(self, store: Shelves, container_id: str, root_like: str = "") -> None:
        self._path = os.path.join(store.graphroot, "containers", container_id)
        self._root_like = root_like

    def describe(self) -> str:
        return f"make the container's layer {self._path}"

    def execute(self) -> None:
        upper = os.path.join(self._path, "upper")
        if os.path.isdir(upper):
            return
        os.makedirs(os.path.join(self._path, "work"), mode=0o700, exist_ok=True)
        aside = upper + ".new"
        os.makedirs(aside, exist_ok=True)
        uid, gid, mode = 0, 0, 0o755
        if self._root_like:
            status = os.stat(self._root_like)
            uid, gid, mode = status.st_uid, status.st_gid, status.st_mode & 0o7777
        os.chown(aside, uid, gid)
        os.chmod(aside, _root_mode(mode))
        os.rename(aside, upper)


def _root_mode(mode: int) -> int:
    """Return the mode of a container's root directory.

    If an image was made of a `mktemp -d` directory, only root may enter its root, and nobody else could run anything.
    So Podman gives every root r-xr-xr-x, whatever the image says.
    """
    return mode if mode & 0o001 else mode | 0o555


class RemoveContainerLayer(Operation):
    """Remove containers/ID, by a rename and then rm -r."""

    def __init__(self, store: Shelves, container_id: str) -> None:
        self._store = store
        self._path = os.path.join(store.graphroot, "containers", container_id)

    def describe(self) -> str:
        return f"remove the container's layer {self._path}"

    def execute(self) -> None:
        container_id = os.path.basename(self._path)
        if _mounted(self._store, container_id):
            from podpy.storage.mounts import container_mounts

            container_mounts.unmount(self._store, container_id, force=True)
        self._store.staging.discard(self._path)


class MountOverlay(Operation):
    """Mount lower directories and a container's own layer on top.

    During the call the working directory is layers/, and the paths are relative to it: 500 lower layers fit into the
    one page that mount(2) takes, and no path needs escaping, whatever the name of the user's home.
    """

    def __init__(self, graphroot: str, container_id: str, lower: str, target: str, options: Sequence[str]) -> None:
        self._directory = os.path.join(graphroot, "layers")
        self._work = os.path.join(graphroot, "containers", container_id, "work")
        self.target = target
        own = f"../containers/{container_id}"
        self.data = ",".join((f"lowerdir={lower}", f"upperdir={own}/upper", f"workdir={own}/work", *options))

    def describe(self) -> str:
        return f"mount overlay at {self.target} ({self.data}; in {self._directory})"

    def execute(self) -> None:
        from podpy import linux

        # A volatile mount leaves this mark, and the kernel refuses the next mount: the data may be torn after a power
        # cut. Such a container ends with its boot, or a call that promises nothing about power cuts (cp) wrote into it.
        volatile_mark = os.path.join(self._work, "work", "incompat")
        if os.path.exists(volatile_mark):
            from podpy.storage.layers import filesystem

            filesystem.remove_tree(volatile_mark)
        os.makedirs(self.target, mode=0o755, exist_ok=True)
        with InDirectory(self._directory):
            linux.mount("overlay", self.target, "overlay", 0, self.data)

    def explain_failure(self, error: OSError) -> str:
        if error.errno in (_EINVAL, _EPERM):
            return (
                "The kernel refuses this overlay (dmesg says why); PODPY_STORAGE_DRIVER=fuse-overlayfs, or vfs, "
                "takes another way"
            )
        return ""


class MountFuseOverlay(Operation):
    """Mount with fuse-overlayfs: its process serves the mount and ends with it."""

    def __init__(self, graphroot: str, container_id: str, lower: str, target: str, options: Sequence[str]) -> None:
        self._directory = os.path.join(graphroot, "layers")
        self.target = target
        own = f"../containers/{container_id}"
        self.data = ",".join((f"lowerdir={lower}", f"upperdir={own}/upper", f"workdir={own}/work", *options))

    def describe(self) -> str:
        return f"mount fuse-overlayfs at {self.target} ({self.data}; in {self._directory})"

    def execute(self) -> None:

        os.makedirs(self.target, mode=0o755, exist_ok=True)
        with InDirectory(self._directory):
            driver.run_fuse_overlayfs(self.data, self.target)

    def explain_failure(self, error: OSError) -> str:
        return "Install fuse-overlayfs, and see that /dev/fuse may be opened (chmod 666)"


class MountBind(Operation):
    """Mount a directory tree at another place."""

    def __init__(self, source: str, target: str) -> None:
        self.source = source
        self.target = target

    def describe(self) -> str:
        return f"bind {self.source} to {self.target}"

    def execute(self) -> None:
        from podpy import linux

        os.makedirs(self.target, mode=0o755, exist_ok=True)
        linux.mount(self.source, self.target, None, linux.MS_BIND | linux.MS_REC)


class CopyImage(Operation):
    """vfs: a whole copy of the image's layers, whiteouts applied, in containers/ID/vfs. Nothing happens if it's
    there.

    It is synced before it has its name, because the next start takes it for complete, also after a power cut. A
    `volatile` container ends with its boot, so its copy isn't synced.
    """

    def __init__(
        self, store: Shelves, container_id: str, layers: list[str], maps: tuple[Maps, Maps], *, volatile: bool
    ) -> None:
        self._store = store
        self._target = os.path.join(store.graphroot, "containers", container_id, "vfs")
        self._layers = layers
        self._maps = maps
        self._volatile = volatile

    def describe(self) -> str:
        return f"copy {len(self._layers)} layers to {self._target}"

    def execute(self) -> None:
        if os.path.isdir(self._target):
            return
        from podpy.storage.layers import copying, filesystem

        aside = self._store.staging.new_path("vfs")
        os.mkdir(aside, 0o755)
        for layer in self._layers:
            copying.copy_tree(layer, aside, *self._maps, merge=True)
        os.chmod(aside, _root_mode(os.stat(aside).st_mode & 0o7777))
        os.makedirs(os.path.dirname(self._target), mode=0o700, exist_ok=True)
        if not self._volatile:
            filesystem.sync_filesystem(self._store.graphroot)
        os.rename(aside, self._target)


class MakeMappedLayers(Operation):
    """Copies of an image's layers whose owners are shifted for a container's own user namespace: mapped/NUMBER-KEY.

    The kernel's id-mapped mounts need a capability of the file system's own user namespace, which no unprivileged user
    has. So each layer is copied once per mapping, shared by all containers with that mapping, and removed with its
    layer.
    """

    def __init__(self, store: Shelves, names: list[tuple[int, str]], maps: tuple[Maps, Maps]) -> None:
        self._store = store
        self._names = names
        self._maps = maps

    def describe(self) -> str:
        return f"make copies of {len(self._names)} layers for the container's own user namespace, where missing"

    def execute(self) -> None:
        directory = os.path.join(self._store.graphroot, "mapped")
        os.makedirs(directory, mode=0o700, exist_ok=True)
        targets = {os.path.join(directory, name): number for number, name in self._names}
        copies = {target: self._copy(number) for target, number in targets.items() if not os.path.isdir(target)}
        if copies:
            from podpy.storage.layers import filesystem

            # Every later container with this mapping trusts them, also after a power cut.
            filesystem.sync_filesystem(self._store.graphroot)
        for target, aside in copies.items():
            try:
                os.rename(aside, target)
            except OSError:
                if not os.path.isdir(target):  # else another container's start was faster
                    raise

    def _copy(self, number: int) -> str:
        from podpy.storage.layers import copying

        aside = self._store.staging.new_path("mapped")
        os.mkdir(aside, 0o755)
        copying.copy_tree(os.path.join(self._store.graphroot, "layers", str(number)), aside, *self._maps)
        return aside


class InDirectory:
    """A context with another working directory. For the only thread of a process."""

    def __init__(self, path: str) -> None:
        self._path = path

    def __enter__(self) -> None:
        self._here = os.open(".", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        os.chdir(self._path)

    def __exit__(self, *_error: object) -> None:
        os.fchdir(self._here)
        os.close(self._here)


def operations(
    store: Shelves, container_id: str, image: ImageRecord | None, target: str, options: MountOptions
) -> list[Operation]:
    """See Store.mount_operations."""
    maps = (options.uid_maps, options.gid_maps)
    mounted = _mounted(store, container_id)
    if mounted:
        return [MountBind(mounted, target)]
    if options.rootfs:
        return _of_directory(store, container_id, target, options)
    if image is None:
        raise StorageError("a container needs an image or --rootfs")
    numbers = store.layer_numbers(image.layers)
    if driver.found(store)[0] == "vfs":
        layers = [os.path.join(store.graphroot, "layers", str(number)) for number in numbers]
        copied = os.path.join(store.graphroot, "containers", container_id, "vfs")
        copy = CopyImage(store, container_id, layers, maps, volatile=options.volatile)
        return [copy, MountBind(copied, target)]
    names = [str(number) for number in reversed(numbers)]
    made: list[Operation] = []
    if any(maps):
        mapped = [(number, f"{number}-{mapping_key(*maps)}") for number in reversed(numbers)]
        made.append(MakeMappedLayers(store, mapped, maps))
        names = [f"../mapped/{name}" for _, name in mapped]
    if not names:  # an image without layers: overlay wants at least one lower directory
        made.append(MakeEmptyLayer(store))
        names = ["empty"]
    root_like = os.path.join(store.graphroot, "layers", names[0])
    return [
        *made,
        MakeContainerLayer(store, container_id, root_like),
        _overlay(store, container_id, ":".join(names), target, options.volatile or options.brief),
    ]


def _mounted(store: Shelves, container_id: str) -> str:
    """Return where `podpy mount` has mounted a container, or an empty text; one look at the disk, as a rule."""
    if not os.path.isdir(os.path.join(store.paths.runroot, "container-mounts", container_id)):
        return ""
    from podpy.storage.mounts import container_mounts

    return container_mounts.of_container(store, container_id)


class MakeEmptyLayer(Operation):
    """The directory layers/empty, under an image that has no layers."""

    def __init__(self, store: Shelves) -> None:
        self._path = os.path.join(store.graphroot, "layers", "empty")

    def describe(self) -> str:
        return f"make the empty layer {self._path}"

    def execute(self) -> None:
        os.makedirs(self._path, mode=0o755, exist_ok=True)


def mapping_key(uid_maps: Maps, gid_maps: Maps) -> str:
    """Return a name for a pair of mappings that can be part of a directory's name."""
    text = "_".join("+".join(f"{inside}.{host}.{size}" for inside, host, size in maps) for maps in (uid_maps, gid_maps))
    if len(text) <= _LONGEST_KEY:
        return text
    from hashlib import sha256

    return sha256(text.encode()).hexdigest()[:_LONGEST_KEY]


def _overlay(store: Shelves, container_id: str, lower: str, target: str, volatile: bool) -> Operation:
    name, options = driver.found(store)
    if name == "fuse-overlayfs":
        return MountFuseOverlay(store.graphroot, container_id, lower, target, options)
    if volatile:
        options = [*options, "volatile"]
    return MountOverlay(store.graphroot, container_id, lower, target, options)


def _of_directory(store: Shelves, container_id: str, target: str, options: MountOptions) -> list[Operation]:
    if not os.path.isdir(options.rootfs):
        raise StorageError(f"--rootfs {options.rootfs}: it's not a directory")
    if not options.rootfs_overlay:
        return [MountBind(options.rootfs, target)]
    os.makedirs(os.path.join(store.graphroot, "layers"), mode=0o700, exist_ok=True)
    # The kernel's option parser takes : and , for separators.
    lower = os.path.abspath(options.rootfs).replace("\\", "\\\\").replace(":", "\\:").replace(",", "\\,")
    return [
        MakeContainerLayer(store, container_id, options.rootfs),
        _overlay(store, container_id, lower, target, options.volatile or options.brief),
    ]
