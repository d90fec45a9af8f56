"""Remove containers."""

from __future__ import annotations

from podpy.errors import InUseError, NoSuchContainerError, StateError
from podpy.libpod.containers.ending.finish import remove_locked
from podpy.libpod.containers.held import Held, find
from podpy.libpod.containers.table import ALIVE, STARTING

_MOST_TRIES = 5

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection


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
        try:
            if force:
                from podpy.libpod.containers.ending.stop import stop

                stop(container, timeout, thaw=True)
            with container.locked() as row:
                if row.status not in (*ALIVE, STARTING):
                    remove_locked(container, row, volumes=volumes)
                    return
                if not tries_left:  # else somebody has started it again
                    raise _improper(container, row.status)
        except NoSuchContainerError:
            if not container.spec.remove:
                raise
            return  # it was to go at its end, and has gone


def _improper(container: Held, status: str) -> StateError:
    return StateError.improper(
        f"cannot remove container {container.id} as it is {status} - running or paused containers "
        "cannot be removed without force",
        hint=f"Stop it first (podpy stop {container.name}) or use --force",
    )
