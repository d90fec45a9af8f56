"""The sources of a container's mounts: volumes, their subpaths, overlays of host directories."""

from __future__ import annotations

import os
from errno import ELOOP, EXDEV

from podpy import beneath, fastjson
from podpy.errors import EXIT_NOT_EXECUTABLE, StorageError, UsageError
from podpy.plan import Operation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.libpod.containers.starting.context import StartContext
    from podpy.libpod.containers.starting.root import LookUpUser
    from podpy.libpod.engine import Engine
    from podpy.libpod.locks import FileLock
    from podpy.spec.container import Mount
    from podpy.storage.volumes.volume import Volume


class Sources:
    """The sources of a container's mounts: `operations` that prepare them, and `paths` (target → host path)."""

    def __init__(self, context: StartContext, engine: Engine, user: LookUpUser) -> None:
        """Raises UsageError if the source of a bind mount doesn't exist."""
        self._context = context
        self._engine = engine
        self._user = user
        self.operations: list[Operation] = []
        self.paths: dict[str, str] = {}
        self.artifacts: dict[str, dict[str, str]] = {}  # target → path in the container → path of a file
        self._locks: list[FileLock] = []
        self._prepared: list[PrepareVolume] = []
        for number, mount in enumerate(context.spec.mounts):
            if mount.type == "volume":
                self.paths[mount.target] = self._volume(mount, number)
            elif mount.type == "bind":
                self.paths[mount.target] = self._bind(mount, number)
            elif mount.type == "image":
                self.paths[mount.target] = self._image(mount, number)
            elif mount.type == "artifact":
                self._artifact(mount)
            if "U" in mount.options and mount.type in ("bind", "volume"):
                self.operations.append(GiveTree(self.paths[mount.target], user))
        # By name, so that two starts take the volumes' locks in the same order.
        self._prepared.sort(key=lambda operation: operation.volume)
        self.operations[:0] = self._prepared

    def release(self) -> None:
        """Release the volumes' locks: the container is running, or its start has failed."""
        while self._locks:
            lock = self._locks.pop()
            lock.remove()
            lock.release()

    def _volume(self, mount: Mount, number: int) -> str:
        path = self._engine.volume_table.mountpoint(mount.source)
        self._prepared.append(PrepareVolume(self._context, self._engine, mount, self._user, self._locks))
        if mount.subpath:
            whole, path = path, os.path.join(self._context.directory, f"subpath{number}")
            self.operations.append(MountSubpath(whole, mount.subpath, path, f'volume "{mount.source}"'))
        return self._overlay(mount, path, number) if "O" in mount.options else path

    def _bind(self, mount: Mount, number: int) -> str:
        if not os.path.exists(mount.source):
            raise no_source(mount.source)
        if mount.subpath:
            place = os.path.join(self._context.directory, f"subpath{number}")
            self.operations.append(MountSubpath(mount.source, mount.subpath, place, mount.source))
            return place
        if "O" in mount.options:
            return self._overlay(mount, mount.source, number)
        if mount.source == fastjson.well_formed(mount.source):
            return mount.source
        place = os.path.join(self._context.directory, f"source{number}")
        self.operations.append(MountSource(mount.source, place))
        return place

    def _image(self, mount: Mount, number: int) -> str:
        from podpy.storage.mounts import extra_image

        spec, store = self._context.spec, self._engine.store
        path = os.path.join(self._context.directory, f"image{number}")
        own = os.path.join(self._context.layer, f"image{number}") if "rw" in mount.options else ""
        maps = tuple([(m.container, m.host, m.size) for m in lines] for lines in (spec.uid_maps, spec.gid_maps))
        image = store.find_image(spec.image_mounts[mount.target])
        self.operations += extra_image.operations(store, image, path, own=own, maps=(maps[0], maps[1]))
        if not mount.subpath:
            return path
        place = os.path.join(self._context.directory, f"subpath{number}")
        whole = f'image "{mount.source}"'
        self.operations.append(MountSubpath(path, mount.subpath.lstrip("/"), place, whole, in_root=True))
        return place

    def _artifact(self, mount: Mount) -> None:
        from podpy.libpod.containers.starting.artifacts import FindArtifact

        operation = FindArtifact(self._context, self._engine, mount)
        self.operations.append(operation)
        self.artifacts[mount.target] = operation.paths

    def _overlay(self, mount: Mount, lower: str, number: int) -> str:
        overlay = MountHostOverlay(self._context, mount, lower, number)
        self.operations.append(overlay)
        return overlay.target


class PrepareVolume(Operation):
    """Mount a volume that has options. Give a volume that was never used the image's files, owner and mode, or the
    container's user as its owner.
    """

    def __init__(
        self, context: StartContext, engine: Engine, mount: Mount, user: LookUpUser, locks: list[FileLock]
    ) -> None:
        """`locks` gets the locks that must be held until the container's row says that it is running."""
        self._context = context
        self._engine = engine
        self._mount = mount
        self._user = user
        self._locks = locks

    @property
    def volume(self) -> str:
        """The volume's name."""
        return self._mount.source

    def describe(self) -> str:
        """Return which volume."""
        name = self._mount.source or "(a new one)"
        if self._mount.subpath:
            return f"mount the volume {name}, if it has options"
        return f"mount the volume {name}, if it has options; fill it from {self._mount.target}, if it was never used"

    def execute(self) -> None:
        """Prepare it. Raises NoSuchVolumeError if the volume was removed, StorageError."""
        volume = self._engine.volume_table.find(self._mount.source)
        fresh = volume.needs_mount and self._mount_it(volume)
        if self._mount.subpath:
            return
        from podpy.storage.volumes.driver import copies_up
        from podpy.storage.volumes.first_use import FirstUse

        use = FirstUse(
            rootfs=self._context.rootfs,
            target=self._mount.target,
            owner=self._user.host_ids,
            copy="nocopy" not in self._mount.options and copies_up(volume.options),
            as_image="U" not in self._mount.options,
        )
        self._engine.volume_table.prepare(volume, use, fresh=fresh)

    def _mount_it(self, volume: Volume) -> bool:
        """Mount it in this mount namespace; return whether the mounted file system is new (a tmpfs)."""
        from podpy.storage.volumes import mounting

        if mounting.is_mounted(volume):
            return False  # mounted by `podpy volume mount`, or at another target of this container
        try:
            if mounting.is_shared(volume):
                lock = self._engine.lock(f"volume-{volume.name}")
                lock.acquire()  # when it is released, others see this container running
                self._locks.append(lock)
                if any(mounting.borrow(volume, pid) for pid in self._engine.volume_table.monitors(volume.name)):
                    return False
            mounting.mount(volume)
        except StorageError as error:
            failed = StorageError(
                f"mounting volume {volume.name} for container {self._context.container_id}: {error.message}",
                hint=error.hint,
            )
            failed.exit_code = EXIT_NOT_EXECUTABLE  # the code of a failed start
            raise failed from error
        return mounting.is_shared(volume)


class MountSubpath(Operation):
    """Mount a subpath of a volume in the run directory.

    The OCI runtime gets that mount, so it never looks up a path in the volume, which another container could change.
    """

    def __init__(self, root: str, subpath: str, target: str, whole: str, *, in_root: bool = False) -> None:
        """`whole` is the name of `root` in errors. `in_root`: links resolve as after a chroot to `root`, an image's."""
        self._open = beneath.open_in_root if in_root else beneath.open_beneath
        self._root = root
        self._subpath = subpath
        self._target = target
        self._whole = whole

    def describe(self) -> str:
        """Return what is mounted where."""
        return f"mount {self._subpath} of {self._whole} at {self._target}"

    def execute(self) -> None:
        """Mount it. Raises UsageError if the subpath doesn't exist, or leads out of the volume."""
        check_subpath(self._subpath)
        try:
            part = self._open(self._root, self._subpath, os.O_PATH)
        except (FileNotFoundError, NotADirectoryError):
            raise UsageError(
                f'no such file or directory: subpath "{self._subpath}" of {self._whole}', hint="See what is in it"
            ) from None
        except OSError as error:
            if error.errno not in (EXDEV, ELOOP):
                raise
            raise UsageError(f'subpath "{self._subpath}" of {self._whole}: a symbolic link leads out of it') from None
        try:
            beneath.attach(part, self._target)
        finally:
            os.close(part)


class MountSource(Operation):
    """Mount what the host has under a name that isn't UTF-8, which config.json can't tell, in the run directory."""

    def __init__(self, source: str, target: str) -> None:
        self._source = source
        self._target = target

    def describe(self) -> str:
        """Return what is mounted where."""
        return f"mount {self._source} at {self._target}"

    def execute(self) -> None:
        """Mount it. Raises OSError."""
        source = os.open(self._source, os.O_PATH | os.O_CLOEXEC)
        try:
            beneath.attach(source, self._target)
        finally:
            os.close(source)


class MountHostOverlay(Operation):
    """Mount an overlay of a host directory or a volume (`:O`): the container's changes are its own."""

    def __init__(self, context: StartContext, mount: Mount, lower: str, number: int) -> None:
        self._lower = lower
        # Beside the container's own layer, on a disk: the changes may be large, and are removed with the container.
        base = os.path.join(context.layer, f"overlay{number}")
        self._upper = _value(mount, "upperdir=") or f"{base}/upper"
        self._work = _value(mount, "workdir=") or f"{base}/work"
        # The mount is in the run directory: the cleanup unmounts that first.
        self.target = os.path.join(context.directory, f"overlay{number}")
        self._rootless = context.paths.rootless

    def describe(self) -> str:
        """Return what is mounted where."""
        return f"mount an overlay of {self._lower} at {self.target} (what is written goes to {self._upper})"

    def execute(self) -> None:
        """Mount it. Raises OSError."""
        from podpy import linux

        for path in (self._upper, self._work, self.target):
            os.makedirs(path, mode=0o755, exist_ok=True)
        layers = zip(("lowerdir", "upperdir", "workdir"), (self._lower, self._upper, self._work), strict=True)
        options = ",".join(f"{name}={_escaped(path)}" for name, path in layers)
        linux.mount("overlay", self.target, "overlay", 0, f"{options},userxattr" if self._rootless else options)

    def explain_failure(self, error: OSError) -> str:
        """Return a possible cause."""
        return f"An overlay can't be made of every file system (dmesg says why): is {self._lower} one itself?"


class GiveTree(Operation):
    """Give a whole tree to the container's user (`:U`), unless its top is the user's already, as Podman does."""

    def __init__(self, path: str, user: LookUpUser) -> None:
        self._path = path
        self._user = user

    def describe(self) -> str:
        """Return what is given."""
        return f"give {self._path} with all that is in it to the container's user, if it isn't the user's"

    def execute(self) -> None:
        """Give it. Raises OSError."""
        uid, gid = self._user.host_ids
        top = os.open(self._path, os.O_PATH | os.O_CLOEXEC)
        try:
            status = os.fstat(top)
            if (status.st_uid, status.st_gid) != (uid, gid):
                beneath.give_tree(top, uid, gid)
        finally:
            os.close(top)

    def explain_failure(self, error: OSError) -> str:
        """Return a possible cause."""
        return f"The owners of files that aren't yours stay: see ls -ln {self._path}, or leave out the U option"


def no_source(path: str) -> UsageError:
    """Return Podman's error for a bind mount whose source doesn't exist."""
    return UsageError(f"statfs {path}: no such file or directory", hint=f"Make it first: mkdir -p {path}")


def check_subpath(subpath: str) -> None:
    """Raise UsageError if the text can't be a subpath of a volume."""
    if subpath.startswith("/") or ".." in subpath.split("/"):
        raise UsageError(
            f'subpath "{subpath}" must be relative to the volume and without ".."', hint="For example: subpath=a/b"
        )


def _value(mount: Mount, option: str) -> str:
    return next((word.removeprefix(option) for word in mount.options if word.startswith(option)), "")


def _escaped(path: str) -> str:
    # Overlay's option parser reads : and , as separators (Documentation/filesystems/overlayfs.rst).
    return path.replace("\\", "\\\\").replace(":", "\\:").replace(",", "\\,")
