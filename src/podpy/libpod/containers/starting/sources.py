"""Where the contents of a container's mounts come from: volumes, overlays of host directories, images."""

from __future__ import annotations

import os

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
            _give_to(sources[mount.target], outside(user.uid, spec.uid_maps), outside(user.gid, spec.gid_maps))
    return sources


def _volume(launch: Launch, mount: Mount) -> str:
    from podpy.storage.volumes import Volumes

    volumes = Volumes(launch.engine.paths, launch.engine.database)
    volume: Volume = volumes.find(mount.source)
    if "nocopy" not in mount.options:
        volumes.copy_up(volume, launch.rootfs, mount.target)
    return os.path.join(volume.mountpoint, mount.subpath) if mount.subpath else volume.mountpoint


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


def _give_to(path: str, uid: int, gid: int) -> None:
    """Give a whole tree to the container's user (`:U`); symbolic links themselves, never their targets."""
    for directory, _names, files, descriptor in os.fwalk(path, follow_symlinks=False):
        os.chown(directory, uid, gid, follow_symlinks=False)
        for name in files:
            os.chown(name, uid, gid, dir_fd=descriptor, follow_symlinks=False)
