"""Remove containers."""

from __future__ import annotations

from podpy.errors import InUseError, NoSuchContainerError, StateError, UsageError
from podpy.libpod.containers.ending.finish import remove_locked
from podpy.libpod.containers.held import Held, find
from podpy.libpod.containers.table import BUSY

_MOST_TRIES = 5

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable


def remove(
    container: Held,
    *,
    force: bool,
    volumes: bool,
    timeout: int | None,
    depend: bool = False,
    going: Collection[str] | None = (),
    with_pod: bool = False,
) -> None:
    """See Container.remove. `with_pod`: the container's pod goes, too."""
    if container.row.pod and not with_pod and container.spec.is_infra:
        raise _infra(container)
    others = _dependents(container, going) if force or container.row.status not in BUSY else []
    if others and not depend:
        raise _in_use(container, others)
    for other in others:
        remove(find(container.engine, other), force=force, volumes=volumes, timeout=timeout, depend=True)
    for tries_left in reversed(range(_MOST_TRIES + 1 if force else 1)):
        try:
            with container.locked() as row:
                if row.status not in BUSY:
                    remove_locked(container, row, volumes=volumes, check=lambda: _refuse_if_used(container, going))
                    return
                if not tries_left:  # else another call has started it again
                    raise _improper(container, row.status)
            from podpy.libpod.containers.ending.stop import stop

            stop(container, timeout, thaw=True)
        except NoSuchContainerError:
            if not container.spec.remove:
                raise
            return  # a --rm container: its end has removed it


def stop_those_that_go(
    containers: Iterable[Held],
    *,
    timeout: int | None = None,
    depend: bool = False,
    going: Collection[str] | None = (),
) -> None:
    """Stop together the containers that `remove` would stop one after the other; `remove` raises the errors later."""
    from podpy.libpod.containers.ending.stop import stop_together

    going_too: dict[str, Held] = {}
    for container in containers:
        others = _dependents(container, going)
        if depend or not others:
            going_too[container.id] = container
            _add(going_too, container, others)
    stop_together(going_too.values(), timeout, thaw=True)


def _add(found: dict[str, Held], container: Held, others: Iterable[str]) -> None:
    for other in others:
        if other not in found:
            try:
                found[other] = find(container.engine, other)
            except NoSuchContainerError:
                continue
            _add(found, found[other], _dependents(found[other], ()))


def _dependents(container: Held, going: Collection[str] | None) -> list[str]:
    """Return the ids of the containers that join a namespace of this one and aren't in `going` (None: all are)."""
    if going is None:
        return []
    return [other for other in container.engine.table.dependents(container.id) if other not in going]


def _refuse_if_used(container: Held, going: Collection[str] | None) -> None:
    """Raise InUseError if a container that joins its namespaces was created since the first check."""
    others = _dependents(container, going)
    if others:
        raise _in_use(container, others)


def _infra(container: Held) -> UsageError:
    return UsageError(
        f"container {container.id} is the infra container of pod {container.row.pod} and cannot be removed without "
        "removing the pod",
        hint=f"podpy pod rm {container.row.pod[:12]}",
    )


def _in_use(container: Held, others: Iterable[str]) -> InUseError:
    return InUseError(
        f"container {container.id} has dependent containers which must be removed before it: {', '.join(others)}",
        hint=f"They use its namespaces. All together: podpy rm --depend {container.name}",
    )


def _improper(container: Held, status: str) -> StateError:
    return StateError.improper(
        f"cannot remove container {container.id} as it is {status} - running or paused containers "
        "cannot be removed without force",
        hint=f"Stop it first (podpy stop {container.name}) or use --force",
    )
