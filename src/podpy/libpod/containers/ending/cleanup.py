"""Releases what an ended container held. Safe to repeat, and safe against a kill at any point."""

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
    """Release what an ended container held; write the event `cleanup` if there was something."""
    if release(engine, row):
        engine.table.tell(row.id, "cleanup")


def release(engine: Engine, row: ContainerRow) -> bool:
    """Release runtime state, network and run directory of a container whose lock the caller holds.

    Return whether there was something to release. The mounts need no work: their mount namespace died with conmon.
    """
    directory = engine.run_directory(row.id)
    if not os.path.isdir(directory):
        return False
    from podpy.network.setup import teardown

    # In a pid namespace of its own, nothing outlives the first process. That one is alive if a start failed late, or if
    # podpy and conmon were killed during it: then only the pid file has its pid.
    first_lives = pids.is_alive(row.pid, row.pid_start) or pids.start_time(read_pidfile(f"{directory}/{FIRST_PROCESS}"))
    spec = fastjson.loads(row.spec)
    is_empty = spec.get("pid") == "private" and not first_lives  # it had a pid namespace of its own
    if not (is_empty and not _has_last_hook(directory) and engine.oci_runtime.forget(row.id)):
        from podpy.rootless.cgroups import show_v2

        show_v2()
        engine.oci_runtime.delete(row.id, force=True)
    for operation in teardown(directory, ports=row.ports not in ("", "[]")):
        operation.execute()
    if spec.get("network") == "bridge":
        from podpy.network.bridge.attach import leave

        leave(engine.paths, engine.conf, engine.database, row.id)
    if spec.get("network", "").startswith("container:"):
        from podpy.libpod.containers import joined_hosts

        joined_hosts.leave(engine, row, spec)
    _leave_mounts(directory)
    _remove_busy_tree(directory)
    return True


def _remove_busy_tree(path: str) -> None:
    """Remove the run directory of a container that `delete` may just have killed: its conmon may still write there."""
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
    """Return whether the runtime must run hooks when the container is deleted (poststop, from CDI or --hooks-dir)."""
    return '"poststop":' in files.read_small(os.path.join(directory, "bundle", "config.json"))


def _leave_mounts(directory: str) -> None:
    """Unmount what this process still sees: the call that started the container is in its mount namespace.

    The kernel's list is used: a bind mount from the same filesystem (`--rootfs`) has the same device number, and behind
    it are the user's own files. Raises OSError; the directory must not be removed then.
    """
    from podpy import linux
    from podpy.rootless.mounts import mount_points

    points = [point for point in mount_points() if point.startswith(directory + "/")]
    for point in reversed(points):
        # What is mounted in a mount goes with it; in a copy of the host's /dev some can't be unmounted alone.
        if not any(point.startswith(other + "/") for other in points):
            linux.umount2(point, linux.MNT_DETACH | linux.UMOUNT_NOFOLLOW)


def remove_tree(path: str) -> None:
    """Remove a small directory tree of our own (sockets, pid files, the bundle); a missing one is no error.

    Mounts in it, in this process's mount namespace, are detached and never entered: one is the container's root file
    system.
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
