"""Where the contents of a container's mounts come from: volumes, parts of them, overlays of host directories."""

from __future__ import annotations

import os
from errno import ELOOP, EXDEV

from podpy import beneath
from podpy.errors import UsageError
from podpy.plan import Operation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.libpod.containers.starting.context import StartContext
    from podpy.libpod.containers.starting.root import LookUpUser
    from podpy.libpod.engine import Engine
    from podpy.spec.container import Mount
    from podpy.storage.volumes import Volumes


class Sources:
    """The sources of a container's mounts: the operations that make them ready, and `paths`, target → host path."""

    def __init__(self, context: StartContext, engine: Engine, user: LookUpUser) -> None:
        """Raises UsageError for the source of a bind mount that isn't there."""
        self._context = context
        self._engine = engine
        self._user = user
        self.operations: list[Operation] = []
        self.paths: dict[str, str] = {}
        for number, mount in enumerate(context.spec.mounts):
            if mount.type == "volume":
                self.paths[mount.target] = self._volume(mount, number)
            elif mount.type == "bind":
                self.paths[mount.target] = self._bind(mount, number)
            if "U" in mount.options and mount.type in ("bind", "volume"):
                self.operations.append(GiveTree(self.paths[mount.target], user))

    def _volume(self, mount: Mount, number: int) -> str:
        volumes = self._engine.volumes
        path = volumes.mountpoint(mount.source)
        if mount.subpath:
            place = os.path.join(self._context.directory, f"subpath{number}")
            self.operations.append(MountSubpath(path, mount.subpath, place, f'volume "{mount.source}"'))
            return place
        self.operations.append(FillVolume(self._context, volumes, mount, self._user))
        return path

    def _bind(self, mount: Mount, number: int) -> str:
        if not os.path.exists(mount.source):
            raise no_source(mount.source)
        if "O" not in mount.options:
            return mount.source
        overlay = MountHostOverlay(self._context, mount, number)
        self.operations.append(overlay)
        return overlay.target


class FillVolume(Operation):
    """Give a volume that was never used the image's files, owner and mode, or the container's user as its owner."""

    def __init__(self, context: StartContext, volumes: Volumes, mount: Mount, user: LookUpUser) -> None:
        self._context = context
        self._volumes = volumes
        self._mount = mount
        self._user = user

    def describe(self) -> str:
        """Return which volume."""
        return f"fill the volume {self._mount.source or '(a new one)'} from {self._mount.target}, if it was never used"

    def execute(self) -> None:
        """Fill it. Raises NotFoundError for a volume that was removed, StorageError."""
        self._volumes.prepare(
            self._volumes.find(self._mount.source),
            self._context.rootfs,
            self._mount.target,
            self._user.host_ids,
            copy="nocopy" not in self._mount.options,
            as_image="U" not in self._mount.options,
        )


class MountSubpath(Operation):
    """Mount a part of a volume in the run directory.

    The OCI runtime gets that place: it never looks up a path that a container which shares the volume can change.
    """

    def __init__(self, root: str, subpath: str, target: str, whole: str) -> None:
        """`whole` is what `root` is called in errors."""
        self._root = root
        self._subpath = subpath
        self._target = target
        self._whole = whole

    def describe(self) -> str:
        """Return what is mounted where."""
        return f"mount {self._subpath} of {self._whole} at {self._target}"

    def execute(self) -> None:
        """Mount it. Raises UsageError for a part that isn't there, or isn't in the volume."""
        check_subpath(self._subpath)
        try:
            part = beneath.open_beneath(self._root, self._subpath)
        except (FileNotFoundError, NotADirectoryError):
            raise UsageError(
                f'no such file or directory: subpath "{self._subpath}" of {self._whole}', hint="Make it first"
            ) from None
        except OSError as error:
            if error.errno not in (EXDEV, ELOOP):
                raise
            raise UsageError(f'subpath "{self._subpath}" of {self._whole}: a symbolic link leads out of it') from None
        try:
            beneath.attach(part, self._target)
        finally:
            os.close(part)


class MountHostOverlay(Operation):
    """Mount an overlay over a host directory (`:O`): the container may write, the host's files stay as they are."""

    def __init__(self, context: StartContext, mount: Mount, number: int) -> None:
        self._lower = mount.source
        # Beside the container's own layer, on a disk: what is written here may be large, and goes with the container.
        base = os.path.join(context.layer, f"overlay{number}")
        self._upper = _value(mount, "upperdir=") or f"{base}/upper"
        self._work = _value(mount, "workdir=") or f"{base}/work"
        # What is mounted lies in the run directory, whose mounts the clean-up leaves first.
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
        """Return what can forbid it."""
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
        """Return what can forbid it."""
        return f"The owners of files that aren't yours stay: see ls -ln {self._path}, or leave out the U option"


def no_source(path: str) -> UsageError:
    """Return the error, in Podman's words, of a bind mount whose source isn't there."""
    return UsageError(f"statfs {path}: no such file or directory", hint=f"Make it first: mkdir -p {path}")


def check_subpath(subpath: str) -> None:
    """Raise UsageError if the text can't name a part of a volume."""
    if subpath.startswith("/") or ".." in subpath.split("/"):
        raise UsageError(
            f'subpath "{subpath}" must be relative to the volume and without ".."', hint="For example: subpath=a/b"
        )


def _value(mount: Mount, option: str) -> str:
    return next((word.removeprefix(option) for word in mount.options if word.startswith(option)), "")


def _escaped(path: str) -> str:
    # Overlay's option parser takes : and , for separators (Documentation/filesystems/overlayfs.rst).
    return path.replace("\\", "\\\\").replace(":", "\\:").replace(",", "\\,")
