"""Remove containers, and finish removals that a killed call has left half done."""

from __future__ import annotations

from podpy import fastjson
from podpy.errors import InUseError, NotFoundError, StateError
from podpy.libpod.cleanup import release
from podpy.libpod.state import ALIVE, REMOVING, STARTING, ContainerRow
from podpy.plan import perform
from podpy.storage.mounts import RemoveContainerLayer

_MOST_TRIES = 5

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.libpod.container import Container
    from podpy.libpod.runtime import Runtime


def remove(container: Container, *, force: bool, volumes: bool, timeout: int | None) -> None:
    """See Container.remove."""
    from podpy.libpod.stop import stop

    for tries_left in reversed(range(_MOST_TRIES if force else 1)):
        if force:
            stop(container, timeout, thaw=True)
        with container.lock:
            row = container.refresh(locked=True)
            if row.status not in (*ALIVE, STARTING):
                remove_locked(container, row, volumes=volumes)
                return
            if not tries_left:  # else somebody has started it again
                raise StateError(
                    f"cannot remove container {container.id} as it is {row.status} - running or paused containers "
                    "cannot be removed without force: container state improper",
                    hint=f"Stop it first (podpy stop {container.name}) or use --force",
                )


def remove_locked(container: Container, row: ContainerRow, *, volumes: bool) -> None:
    """Remove a container that has ended and whose lock the caller holds."""
    runtime = container.runtime
    runtime.database.make_room()
    runtime.table.update(row.id, status=REMOVING)
    _finish(runtime, row, volumes=volumes)
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
                runtime.database.make_room()
                # Whether `rm -v` had begun it isn't known; what goes by itself takes its volumes along.
                _finish(runtime, row, volumes=bool(fastjson.loads(row.spec).get("remove")))
                lock.remove()
                finished.append(row)
            finally:
                lock.release()
    return finished


def _finish(runtime: Runtime, row: ContainerRow, *, volumes: bool) -> None:
    # The row goes last: as long as it is there, the next call knows that there is something to finish.
    anonymous = _anonymous_volumes(runtime, row) if volumes else []
    release(runtime, row)
    perform(RemoveContainerLayer(runtime.store, row.id))
    runtime.table.delete(row.id)
    discard_volumes(runtime, anonymous)


def _anonymous_volumes(runtime: Runtime, row: ContainerRow) -> list[str]:
    names = [mount["source"] for mount in fastjson.loads(row.spec)["mounts"] if mount["type"] == "volume"]
    if not names:
        return []
    from podpy.storage.volumes import Volumes

    anonymous = {volume.name for volume in Volumes(runtime.paths, runtime.database).all() if volume.anonymous}
    return [name for name in names if name in anonymous]


def discard_volumes(runtime: Runtime, names: list[str]) -> None:
    """Remove volumes that no container uses (any more)."""
    if not names:
        return
    from podpy.storage.volumes import Volumes

    volumes = Volumes(runtime.paths, runtime.database)
    for name in names:
        try:
            volumes.remove(name)
        except (InUseError, NotFoundError):
            pass  # another container has it, by --volumes-from; or somebody was faster
