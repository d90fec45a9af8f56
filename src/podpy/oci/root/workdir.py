"""The working directory: created if the image names it, refused if only `-w` names it (as with Podman).

The OCI runtimes would create any missing directory, so a typing error would go unnoticed.
"""

from __future__ import annotations

import os

from podpy import beneath
from podpy.errors import CommandNotExecutableError
from podpy.oci.root import inside as files
from podpy.spec.userns import outside

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.oci.root.users import UserIds
    from podpy.spec.container import ContainerSpec


def prepare(spec: ContainerSpec, rootfs: str, user: UserIds, name: str) -> None:
    """Make sure that the container has its working directory; `name` is the container's name, for the error.

    A created directory belongs to the container's user. Raises CommandNotExecutableError (126, as Podman does) if it
    doesn't exist, or isn't a directory.
    """
    workdir = spec.workdir or "/"
    if workdir == "/" or _on_mount(workdir, spec) or files.is_directory(rootfs, workdir):
        return
    if files.exists(rootfs, workdir):
        raise CommandNotExecutableError(f'workdir "{workdir}" exists on container {name}, but is not a directory')
    if not spec.create_workdir:
        if _is_above_mount(workdir, spec) or _is_dangling_link(rootfs, workdir):
            return  # the runtime creates mount points and their parents; a link may lead into a mount
        raise CommandNotExecutableError(
            f'workdir "{workdir}" does not exist on container {name}', hint="Give -w a directory of the image"
        )
    if spec.read_only:
        return
    try:
        descriptor = files.make_directories(rootfs, workdir)
    except OSError as error:
        raise CommandNotExecutableError(f'workdir "{workdir}" can\'t be made: {error.strerror}') from error
    try:
        beneath.give(descriptor, outside(user.uid, spec.uid_maps), outside(user.gid, spec.gid_maps))
    finally:
        os.close(descriptor)


def _on_mount(workdir: str, spec: ContainerSpec) -> bool:
    path = workdir.rstrip("/") + "/"
    return any(path.startswith(mount.target.rstrip("/") + "/") for mount in spec.mounts)


def _is_above_mount(workdir: str, spec: ContainerSpec) -> bool:
    return any(mount.target.startswith(workdir.rstrip("/") + "/") for mount in spec.mounts)


def _is_dangling_link(rootfs: str, workdir: str) -> bool:
    parent, _, name = workdir.rstrip("/").rpartition("/")
    try:
        directory = beneath.open_in_root(rootfs, parent or "/", os.O_PATH | os.O_DIRECTORY)
    except OSError:
        return False
    try:
        os.readlink(name, dir_fd=directory)
    except OSError:
        return False
    finally:
        os.close(directory)
    return True
