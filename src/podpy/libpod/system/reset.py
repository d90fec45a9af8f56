"""`podpy system reset`: removes everything that podpy stores, each object by its own room's code.

So a kill leaves a smaller store that works. Foreign files stay, wherever `--root` points: only directories that are
empty by then are removed. If the database can't be read, layers and blobs are removed as plain files, but volumes stay:
they may be a user's only copy.
"""

from __future__ import annotations

import os
import select
from time import monotonic

from podpy.errors import InUseError, PodpyError, StorageError
from podpy.libpod.containers.manager import Containers
from podpy.libpod.images.artifacts import Artifacts
from podpy.libpod.images.manager import Images
from podpy.libpod.networks.manager import Networks
from podpy.libpod.pods.manager import Pods
from podpy.libpod.secrets import Secrets
from podpy.libpod.system.namespaces import give_up
from podpy.libpod.volumes.manager import Volumes
from podpy.monitor.files import monitors
from podpy.pids import open_pidfd, start_time
from podpy.storage.volumes import place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from podpy.config.paths import Paths
    from podpy.libpod.engine import Engine

_DATABASE = ("podpy.sqlite-wal", "podpy.sqlite-shm", "podpy.sqlite-journal", "podpy.sqlite")
_FILES = ("reserve", "runroot", "transient")
_TREES = ("layers", "recipes", "mapped", "blobs", "containers", "infra")
_DIRECTORIES = ("blobs/sha256", *_TREES, "volumes", "networks", "secrets/filedriver", "secrets", "tmp/blobs", "tmp")
_PATIENCE = 10.0  # seconds
_RUN_DIRECTORIES = ("containers", "exits", "mounts")


def reset(engine: Engine) -> list[PodpyError]:
    """Remove all containers, images, artifacts, volumes, secrets, networks, then what is left of podpy's directories.

    Return the errors of what couldn't be removed; then the rest is left, too. Raises StorageError.
    """
    try:
        engine.database.query("SELECT count(*) FROM containers")
        engine.database.query("SELECT count(*) FROM images")
    except StorageError:
        _remove_unreadable(engine)
        return []
    watching = [(pid, start_time(pid)) for _, pid in monitors(engine.paths.runroot)]
    errors = [error for error in _removals(engine) if error is not None]
    if not errors:
        engine.privileged(lambda: _clear(engine))
        engine.close()
        _wait_for_end(watching)
        _remove_empty(engine.paths)
    return errors


def _removals(engine: Engine) -> list[PodpyError | None]:
    containers, images, artifacts = Containers(engine), Images(engine), Artifacts(engine)
    volumes, secrets, networks = Volumes(engine), Secrets(engine), Networks(engine)
    pods = Pods(engine)
    removed = pods.each(pods.select(every=True), lambda pod: pod.remove(force=True))
    of_pods = [error for _, _, error in removed]
    every = containers.select(every=True)
    gone = of_pods + [error for _, error in containers.remove_several(every, every=True, force=True, volumes=True)]
    gone += [removal.error for removal in images.remove_several((), every=True, force=True)]
    gone += [_attempt(lambda name: [*artifacts.remove([name])], name) for name in artifacts.names()]
    gone += [_attempt(lambda name: volumes.remove(name, force=True), volume.name) for volume in volumes.list()]
    gone += [_attempt(secrets.remove, secret.id) for secret in secrets.list()]
    gone.append(_attempt(lambda _: networks.prune(), ""))  # those of Podman's containers stay
    return gone


def _attempt(remove: Callable[[str], object], name: str) -> PodpyError | None:
    try:
        remove(name)
    except PodpyError as error:
        return error
    return None


def _clear(engine: Engine) -> None:
    """Remove what belongs to no object, and the events of removed ones."""
    engine.store.collect(unfinished=True)
    engine.store.check(repair=True)
    engine.database.execute("DELETE FROM events")


def _remove_empty(paths: Paths) -> None:
    """Remove the database, podpy's empty directories, and the pause process."""
    _quietly(os.unlink, f"{paths.graphroot}/secrets/lock")
    _quietly(os.unlink, f"{paths.graphroot}/networks/netavark.lock")
    place.forget(paths.graphroot)
    for name in _DIRECTORIES:
        _quietly(os.rmdir, f"{paths.graphroot}/{name}")
    if any(os.path.isdir(f"{paths.graphroot}/{name}") for name in _TREES):
        return  # another call is using podpy now
    for name in (*_DATABASE, *_FILES):
        _quietly(os.unlink, f"{paths.graphroot}/{name}")
    _quietly(os.rmdir, paths.graphroot)
    give_up(paths)
    for name in _RUN_DIRECTORIES:
        _quietly(os.rmdir, f"{paths.runroot}/{name}")


def _wait_for_end(watching: list[tuple[int, int]]) -> None:
    """Wait until these monitors (pid, start) have ended, but not for ever: each calls podpy at its container's end, and
    that call would make the user's namespaces again, with a pause process that nobody ends.
    """
    deadline = monotonic() + _PATIENCE
    for pid, started in watching:
        pidfd = open_pidfd(pid, started)
        if pidfd >= 0:
            poll = select.poll()
            poll.register(pidfd, select.POLLIN)
            poll.poll(max(0.0, deadline - monotonic()) * 1000)
            os.close(pidfd)


def _quietly(remove: Callable[[str], None], path: str) -> None:
    try:
        remove(path)
    except OSError:
        pass  # it doesn't exist, or it isn't empty: then it holds foreign files


def _remove_unreadable(engine: Engine) -> None:
    from podpy.rootless.first import conmon_in_namespace
    from podpy.storage.layers.filesystem import remove_tree

    paths = engine.paths
    if conmon_in_namespace(paths) >= 0:
        raise InUseError("the database can't be read, and containers run", hint="End their processes first")

    def work() -> None:
        for name in _TREES:
            if os.path.isdir(f"{paths.graphroot}/{name}"):
                remove_tree(f"{paths.graphroot}/{name}")

    for name in _DATABASE:
        _quietly(os.unlink, f"{paths.graphroot}/{name}")
    engine.privileged(work)
    _remove_empty(paths)
