"""After a container's end: give back what it held. Safe to repeat, and safe against being killed at any point."""

from __future__ import annotations

import os

from podpy import fastjson, files, pids
from podpy.libpod.containers.table import ContainerRow
from podpy.monitor.files import FIRST_PROCESS, read_pidfile

_MOST_TRIES = 100
_TICK = 0.01  # seconds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.libpod.engine import Engine


def clean_up(engine: Engine, row: ContainerRow) -> None:
    """Release what a container that has ended held, and tell it if there was something."""
    if release(engine, row):
        engine.table.tell(row.id, "cleanup")


def release(engine: Engine, row: ContainerRow) -> bool:
    """Give back the runtime's state, the network and the run directory of a container whose lock the caller holds.

    Return whether there was something to give back.

    The mounts are in the mount namespace that died with conmon: there is nothing to unmount.
    """
    directory = engine.run_directory(row.id)
    if not os.path.isdir(directory):
        return False
    from podpy.network.setup import teardown

    # With a pid namespace of its own nothing outlived its first process. That one lives if a start failed late, or if
    # podpy and conmon were killed in it: then only its file tells the pid.
    first_lives = pids.is_alive(row.pid, row.pid_start) or pids.start_time(read_pidfile(f"{directory}/{FIRST_PROCESS}"))
    is_empty = _had_own_pids(row) and not first_lives
    if not (is_empty and not _has_last_hook(directory) and engine.oci_runtime.forget(row.id)):
        from podpy.rootless.cgroups import show_v2

        show_v2()
        engine.oci_runtime.delete(row.id, force=True)
    for operation in teardown(directory, ports=row.ports not in ("", "[]")):
        operation.execute()
    _leave_mounts(directory)
    _remove_busy_tree(directory)
    return True


def _remove_busy_tree(path: str) -> None:
    """Remove the run directory of a container that `delete` may just have killed: its conmon still writes the end."""
    for tries_left in reversed(range(_MOST_TRIES)):
        try:
            remove_tree(path)
        except OSError as error:
            from errno import ENOTEMPTY
            from time import sleep

            if error.errno != ENOTEMPTY or not tries_left:
                raise
            sleep(_TICK)
        else:
            return


def _has_last_hook(directory: str) -> bool:
    """Return whether the runtime must run a program when the container is deleted (hooks of CDI and --hooks-dir)."""
    return '"poststop":' in files.read_small(os.path.join(directory, "bundle", "config.json"))


def _had_own_pids(row: ContainerRow) -> bool:
    """Return whether the container had a pid namespace of its own."""
    return bool(fastjson.loads(row.spec).get("pid") == "private")


def _leave_mounts(directory: str) -> None:
    """Unmount what this very process still sees: a call that started the container stands in its mount namespace.

    The list is the kernel's: a bind mount of a directory on the same filesystem (`--rootfs`) has the same device, and
    the user's own files are behind it. Raises OSError; the directory must not be removed then.
    """
    from podpy import linux
    from podpy.rootless.mounts import mount_points

    left = "\0"
    for point in mount_points():
        # What is mounted in a mount goes with it; in a copy of the host's /dev some can't be unmounted alone.
        if point.startswith(directory + "/") and not point.startswith(left + "/"):
            linux.umount2(point, linux.MNT_DETACH | linux.UMOUNT_NOFOLLOW)
            left = point


def remove_tree(path: str) -> None:
    """Remove a small directory tree of our own (sockets, pid files, the bundle); nothing there is no error.

    What is mounted in it, in this process's own mount namespace, is detached and never entered: the container's root
    file system is among it.
    """
    try:
        device = os.lstat(path).st_dev
        entries = list(os.scandir(path))
    except FileNotFoundError:
        return
    for entry in entries:
        _remove_entry(entry, device)
    try:
        os.rmdir(path)
    except FileNotFoundError:
        pass


def _remove_entry(entry: os.DirEntry[str], device: int) -> None:
    try:
        if entry.stat(follow_symlinks=False).st_dev != device:
            from podpy import linux

            linux.umount2(entry.path, linux.MNT_DETACH)
        if entry.is_dir(follow_symlinks=False):
            remove_tree(entry.path)
        else:
            os.unlink(entry.path)
    except FileNotFoundError:
        pass
