"""Remove containers, and finish removals that a killed call has left half done."""

from __future__ import annotations

import os

from podpy import fastjson
from podpy.errors import InUseError, NoSuchContainerError, NotFoundError, StateError
from podpy.libpod.containers.ending.cleanup import release
from podpy.libpod.containers.held import Held, find
from podpy.libpod.containers.table import ALIVE, REMOVING, STARTING, ContainerRow
from podpy.libpod.locks import BusyError
from podpy.plan import perform
from podpy.storage.mounts.root import RemoveContainerLayer

_MOST_TRIES = 5

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection

    from podpy.libpod.engine import Engine


def remove(
    container: Held,
    *,
    force: bool,
    volumes: bool,
    timeout: int | None,
    depend: bool = False,
    going: Collection[str] | None = (),
) -> None:
    """See Container.remove."""
    from podpy.libpod.containers.ending.stop import stop

    may_go = force or container.row.status not in (*ALIVE, STARTING)
    look = may_go and going is not None
    others = [i for i in container.engine.table.dependents(container.id) if i not in (going or ())] if look else []
    if others and not depend:
        raise InUseError(
            f"container {container.id} has dependent containers which must be removed before it: {', '.join(others)}",
            hint=f"They use its namespaces. All together: podpy rm --depend {container.name}",
        )
    for other in others:
        remove(find(container.engine, other), force=force, volumes=volumes, timeout=timeout, depend=True)
    for tries_left in reversed(range(_MOST_TRIES if force else 1)):
        if force:
            stop(container, timeout, thaw=True)
        with container.locked() as row:
            if row.status not in (*ALIVE, STARTING):
                remove_locked(container, row, volumes=volumes)
                return
            if not tries_left:  # else somebody has started it again
                raise StateError.improper(
                    f"cannot remove container {container.id} as it is {row.status} - running or paused containers "
                    "cannot be removed without force",
                    hint=f"Stop it first (podpy stop {container.name}) or use --force",
                )


def remove_locked(container: Held, row: ContainerRow, *, volumes: bool) -> None:
    """Remove a container that has ended and whose lock the caller holds."""
    engine = container.engine
    engine.database.make_room()
    engine.table.update(row.id, status=REMOVING)
    _finish(engine, row, volumes=volumes)
    container.lock.remove()


def finish_removals(engine: Engine) -> list[ContainerRow]:
    """Finish what killed calls have left half removed, and return those containers' rows.

    Cheap if there is nothing: one look at an index.
    """
    finished = []
    for row in engine.table.with_status(REMOVING):
        container = Held(engine, row)
        try:
            with container.locked(wait=False):
                engine.database.make_room()
                # Whether `rm -v` had begun it isn't known; what goes by itself takes its volumes along.
                _finish(engine, row, volumes=bool(row.remove_at_exit))
                container.lock.remove()
                finished.append(row)
        except (BusyError, NoSuchContainerError):
            continue  # somebody else is at it, or was faster
    return finished


def _finish(engine: Engine, row: ContainerRow, *, volumes: bool) -> None:
    # The row goes last: as long as it is there, the next call knows that there is something to finish.
    anonymous = engine.volumes.anonymous_of(row.id) if volumes else []
    release(engine, row)
    perform(RemoveContainerLayer(engine.store, row.id))
    _remove_cidfile(row)
    engine.table.delete(row.id)
    discard_volumes(engine, anonymous)


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


def discard_volumes(engine: Engine, names: list[str]) -> None:
    """Remove volumes that no container uses (any more)."""
    for name in names:
        try:
            engine.volumes.remove(name)
        except (InUseError, NotFoundError):
            pass  # another container has it, by --volumes-from; or somebody was faster
