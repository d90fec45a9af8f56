"""Where the contents of a container's mounts come from: volumes, overlays of host directories, images."""

from __future__ import annotations

import os
from errno import ELOOP, EXDEV

from podpy import beneath
from podpy.errors import UsageError
from podpy.spec.userns import outside

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.libpod.containers.starting.launch import Launch
    from podpy.oci.root.users import UserIds
    from podpy.spec.container import ContainerSpec, Mount
    from podpy.storage.volumes import Volume


def mount_sources(launch: Launch, spec: ContainerSpec, user: UserIds) -> dict[str, str]:
    """Return target → host directory for the mounts whose source isn't simply the path that was given.

    Volumes get the image's files at their target when they are empty, once (podman-run(1), --volume). Raises UsageError
    for a bind source that isn't there, StorageError.
    """
    sources = {}
    for mount in spec.mounts:
        if mount.type == "volume":
            sources[mount.target] = _volume(launch, mount)
        elif mount.type == "bind":
            if not os.path.exists(mount.source):
                raise UsageError(
                    f"statfs {mount.source}: no such file or directory",
                    hint=f"Make it first: mkdir -p {mount.source}",
                )
            sources[mount.target] = _overlaid(launch, mount) if "O" in mount.options else mount.source
        if "U" in mount.options and mount.type in ("bind", "volume"):
            give(sources[mount.target], outside(user.uid, spec.uid_maps), outside(user.gid, spec.gid_maps))
    return sources


def check_subpath(subpath: str) -> None:
    """Raise UsageError if the text can't name a part of a volume."""
    if subpath.startswith("/") or ".." in subpath.split("/"):
        raise UsageError(
            f'subpath "{subpath}" must be relative to the volume and without ".."',
            hint="For example: subpath=data/today",
        )


def _volume(launch: Launch, mount: Mount) -> str:
    volumes = launch.engine.volumes
    volume: Volume = volumes.find(mount.source)
    if mount.subpath:
        place = os.path.join(launch.directory, f"subpath{launch.container.spec.mounts.index(mount)}")
        return attach_part(volume.mountpoint, mount.subpath, place, f'volume "{volume.name}"')
    if "nocopy" not in mount.options:
        volumes.copy_up(volume, launch.rootfs, mount.target)
    return volume.mountpoint


def attach_part(root: str, subpath: str, place: str, whole: str) -> str:
    """Mount a file or directory below `root` at `place`, a path in the run directory, and return `place`.

    The runtime gets that path: it never looks up one that a container which shares the volume can change. This process
    must be in the container's private mount namespace. `whole` is what `root` is called in errors. Raises UsageError.
    """
    check_subpath(subpath)
    try:
        part = beneath.open_beneath(root, subpath)
    except (FileNotFoundError, NotADirectoryError):
        raise UsageError(f'no such file or directory: subpath "{subpath}" of {whole}', hint="Make it first") from None
    except OSError as error:
        if error.errno not in (EXDEV, ELOOP):
            raise
        raise UsageError(f'subpath "{subpath}" of {whole}: a symbolic link leads out of it') from None
    try:
        beneath.attach(part, place)
    finally:
        os.close(part)
    return place


def _overlaid(launch: Launch, mount: Mount) -> str:
    """Mount an overlay over a host directory (`:O`): the container may write, the host's files stay as they are."""
    from podpy import linux

    # Beside the container's own layer, on a disk: what is written here may be large, and goes with the container.
    number = launch.container.spec.mounts.index(mount)
    base = os.path.join(launch.engine.directory(launch.container.id), f"overlay{number}")
    # What is mounted lies in the run directory, whose mounts the clean-up leaves first.
    merged = os.path.join(launch.directory, f"overlay{number}")
    for path in (f"{base}/upper", f"{base}/work", merged):
        os.makedirs(path, mode=0o755, exist_ok=True)
    options = f"lowerdir={_escaped(mount.source)},upperdir={base}/upper,workdir={base}/work"
    if launch.engine.paths.rootless:
        options += ",userxattr"
    linux.mount("overlay", merged, "overlay", 0, options)
    return merged


def _escaped(path: str) -> str:
    # Overlay's option parser takes : and , for separators (Documentation/filesystems/overlayfs.rst).
    return path.replace("\\", "\\\\").replace(":", "\\:").replace(",", "\\,")


def give(path: str, uid: int, gid: int) -> None:
    """Give a whole tree to the container's user (`:U`), unless its top is the user's already, as Podman does.

    Raises OSError.
    """
    top = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        status = os.fstat(top)
        if (status.st_uid, status.st_gid) != (uid, gid):
            beneath.give_tree(top, uid, gid)
    finally:
        os.close(top)
