"""Stops, kills, pauses and restarts a pod's containers."""

from __future__ import annotations

from podpy.errors import NoSuchContainerError, PodpyError
from podpy.libpod.containers.ending.freeze import pause as pause_container
from podpy.libpod.containers.ending.freeze import unpause as unpause_container
from podpy.libpod.containers.ending.stop import kill as kill_container
from podpy.libpod.containers.ending.stop import stop_together
from podpy.libpod.containers.table import ALIVE, BUSY, PAUSED, RUNNING
from podpy.libpod.pods.start import start_locked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from podpy.libpod.containers.held import Held
    from podpy.libpod.pods.held import HeldPod


def stop(pod: HeldPod, timeout: int | None) -> dict[str, PodpyError]:
    """Stop a pod's containers together, the infra container last; return the errors by the containers' ids."""
    with pod.locked():
        errors = stop_locked(pod, timeout)
        pod.table.tell(pod.row, "stop")
    return errors


def stop_locked(pod: HeldPod, timeout: int | None, *, thaw: bool = False) -> dict[str, PodpyError]:
    """Stop the containers of a pod whose lock the caller holds."""
    every = pod.held()
    busy = [each for each in every if each.row.status in BUSY]
    others = [each for each in busy if each.id != pod.row.infra_id]
    errors = stop_together(others, timeout, event="stop", thaw=thaw) if others else {}
    if not errors:
        infra = [each for each in busy if each.id == pod.row.infra_id]
        # It ends at its signal: even if nothing else may take time, it needn't be killed.
        errors = stop_together(infra, timeout or None, event="stop", thaw=thaw) if infra else {}
    return errors


def restart(pod: HeldPod) -> dict[str, PodpyError]:
    """Stop a pod's containers and start them again; return the errors by the containers' ids."""
    with pod.locked():
        errors = stop_locked(pod, None)
        if not errors:
            errors = start_locked(pod)
        pod.table.tell(pod.row, "restart")
    return errors


def kill(pod: HeldPod, signal: int) -> dict[str, PodpyError]:
    """Send a signal to the running containers; return the errors by the containers' ids."""
    with pod.locked():
        members = [each for each in pod.held() if each.status in ALIVE]
        # The infra container last: the others' network goes with it.
        errors = _each([*members[1:], *members[:1]], lambda each: kill_container(each, signal))
        pod.table.tell(pod.row, "kill")
    return errors


def pause(pod: HeldPod) -> dict[str, PodpyError]:
    """Freeze the running containers; return the errors by the containers' ids."""
    return _freeze(pod, RUNNING, "pause", pause_container)


def unpause(pod: HeldPod) -> dict[str, PodpyError]:
    """Thaw the paused containers; return the errors by the containers' ids."""
    return _freeze(pod, PAUSED, "unpause", unpause_container)


def _freeze(pod: HeldPod, before: str, action: str, work: Callable[[Held], object]) -> dict[str, PodpyError]:
    with pod.locked():
        members = [each for each in pod.held() if each.status == before]
        errors = _each(members, work)
        pod.table.tell(pod.row, action)
    return errors


def _each(members: Sequence[Held], work: Callable[[Held], object]) -> dict[str, PodpyError]:
    errors: dict[str, PodpyError] = {}
    for each in members:
        try:
            work(each)
        except NoSuchContainerError:
            continue  # a --rm container: its end has removed it
        except PodpyError as error:
            errors[each.id] = error
    return errors
