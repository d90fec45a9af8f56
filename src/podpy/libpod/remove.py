"""Remove containers, and finish removals that a killed call has left half done."""

from __future__ import annotations

import os

from podpy import fastjson
from podpy.errors import InUseError, NotFoundError, StateError
from podpy.libpod.cleanup import release
from podpy.libpod.state import ALIVE, REMOVING, STARTING, ContainerRow
from podpy.plan import perform
from podpy.storage.mounts import RemoveContainerLayer

_MOST_TRIES = 5

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

    from podpy.libpod.container import Container
    from podpy.libpod.runtime import Runtime


def remove(
    container: Container,
    *,
    force: bool,
    volumes: bool,
    timeout: int | None,
    depend: bool = False,
    going: Collection[str] | None = (),
) -> None:
    """See Container.remove."""
    from podpy.libpod.stop import stop

    may_go = force or container.row.status not in (*ALIVE, STARTING)
    look = may_go and going is not None
    others = [i for i in container.runtime.table.dependents(container.id) if i not in (going or ())] if look else []
    if others and not depend:
        raise InUseError(
            f"container {container.id} has dependent containers which must be removed before it: {', '.join(others)}",
            hint=f"They use its namespaces. All together: podpy rm --depend {container.name}",
        )
    for other in others:
        remove(container.runtime.container(other), force=force, volumes=volumes, timeout=timeout, depend=True)
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
    _remove_cidfile(row)
    runtime.table.delete(row.id)
    discard_volumes(runtime, anonymous)


def _remove_cidfile(row: ContainerRow) -> None:
    """Remove the file of `--cidfile` with the container (podman-run(1)), if it is still this container's."""
    path = fastjson.loads(row.spec).get("cidfile")
    if not path:
        return
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            if file.read(len(row.id) + 1).strip() != row.id:
                return
        os.unlink(path)
    except OSError:
        pass  # gone, or in a directory that isn't the user's any more


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
