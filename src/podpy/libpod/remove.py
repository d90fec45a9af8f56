"""Remove containers, and finish removals that a killed call has left half done."""

from __future__ import annotations

from podpy.errors import InUseError, StateError
from podpy.libpod.cleanup import release
from podpy.libpod.state import ALIVE, REMOVING, STARTING, ContainerRow
from podpy.plan import perform
from podpy.storage.mounts import RemoveContainerLayer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.libpod.container import Container
    from podpy.libpod.runtime import Runtime


def remove(container: Container, *, force: bool, volumes: bool, timeout: int | None) -> None:
    """See Container.remove."""
    from podpy.libpod.stop import stop

    if force and container.refresh().status in ALIVE:
        _unfreeze(container)
        stop(container, timeout)
    with container.lock:
        row = container.refresh(locked=True)
        if row.status in (*ALIVE, STARTING):
            raise StateError(
                f"cannot remove container {container.id} as it is {row.status} - running or paused containers cannot "
                "be removed without force: container state improper",
                hint=f"Stop it first (podpy stop {container.name}) or use --force",
            )
        remove_locked(container, row, volumes=volumes)


def remove_locked(container: Container, row: ContainerRow, *, volumes: bool) -> None:
    """Remove a container that has ended and whose lock the caller holds."""
    anonymous = _anonymous_volumes(container) if volumes else []
    runtime = container.runtime
    runtime.table.update(row.id, status=REMOVING)
    _finish(runtime, row)
    if anonymous:
        from podpy.storage.volumes import Volumes

        store = Volumes(runtime.paths, runtime.database)
        for name in anonymous:
            try:
                store.remove(name)
            except InUseError:
                pass  # another container has it, by --volumes-from
    container.lock.remove()


def finish_removals(runtime: Runtime) -> list[ContainerRow]:
    """Finish what killed calls have left half removed, and return those containers' rows.

    Cheap if there is nothing: one look at an index.
    """
    finished = []
    for row in runtime.table.with_status(REMOVING):
        lock = runtime.lock(row.id)
        if lock.acquire(wait=False):
            try:
                _finish(runtime, row)
                lock.remove()
                finished.append(row)
            finally:
                lock.release()
    return finished


def _finish(runtime: Runtime, row: ContainerRow) -> None:
    # The row goes last: as long as it is there, the next call knows that there is something to finish.
    release(runtime, row)
    perform(RemoveContainerLayer(runtime.store, row.id))
    runtime.table.delete(row.id)


def _anonymous_volumes(container: Container) -> list[str]:
    names = [mount.source for mount in container.spec.mounts if mount.type == "volume"]
    if not names:
        return []
    from podpy.storage.volumes import Volumes

    volumes = Volumes(container.runtime.paths, container.runtime.database)
    return [name for name in names if volumes.find(name).anonymous]


def _unfreeze(container: Container) -> None:
    if container.row.status == "paused":
        container.unpause()
