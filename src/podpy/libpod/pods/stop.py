"""Stops, kills, pauses and restarts the containers of pods."""

from __future__ import annotations

from podpy.errors import NoSuchContainerError, NoSuchPodError, PodpyError
from podpy.libpod.containers.ending.freeze import pause as pause_container
from podpy.libpod.containers.ending.freeze import unpause as unpause_container
from podpy.libpod.containers.ending.stop import kill_together, stop_together
from podpy.libpod.containers.table import ALIVE, BUSY, PAUSED, RUNNING
from podpy.libpod.pods.service import end_services
from podpy.libpod.pods.start import start_locked, wait_for_hooks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from podpy.libpod.containers.held import Held
    from podpy.libpod.pods.held import HeldPod, LockedPod

    Errors = dict[str, PodpyError]


def stop(pod: HeldPod, timeout: int | None) -> Errors:
    """Stop a pod's containers in parallel, the infra container last; return the errors by the containers' ids."""
    with pod.locked(lambda: hurry(pod, timeout)):
        errors = stop_locked([pod], timeout)[pod.id]
        pod.table.tell(pod.row, "stop")
    end_services([pod])
    return errors


def stop_several(
    pods: Sequence[HeldPod], timeout: int | None, *, thaw: bool = False
) -> dict[str, Errors | NoSuchPodError]:
    """Stop the containers of several pods together, then their infra containers; return the errors by the pods' ids.

    Those of a pod are by the containers' ids. `thaw`: unpause paused containers first.
    """
    gone: dict[str, Errors | NoSuchPodError] = {}
    locks: list[LockedPod] = []
    held: list[HeldPod] = []
    try:
        # Always in this order, so that two such calls can't wait for each other.
        for pod in sorted({each.id: each for each in pods}.values(), key=lambda each: each.id):
            lock = pod.locked(lambda pod=pod: hurry(pod, timeout, thaw=thaw))  # type: ignore[misc]
            try:
                lock.__enter__()
            except NoSuchPodError as error:
                gone[pod.id] = error
                continue
            locks.append(lock)
            held.append(pod)
        errors = stop_locked(held, timeout, thaw=thaw)
        for pod in held:
            pod.table.tell(pod.row, "stop")
    finally:
        for lock in locks:
            lock.__exit__(None, None, None)
    end_services(held)
    return {**errors, **gone}


def hurry(pod: HeldPod, timeout: int | None, *, thaw: bool = False) -> None:
    """Stop the containers of a pod whose lock another call holds, but for the infra container, so that the call ends.

    It may wait for a hook preStop or for an init container as long as that likes. Only the containers' own locks are
    taken, as if each were stopped by its name. Errors are left to who has the pod's lock.
    """
    members = [each for each in pod.held() if each.id != pod.row.infra_id and each.row.status in BUSY]
    stop_together(members, timeout, thaw=thaw)


def stop_locked(pods: Sequence[HeldPod], timeout: int | None, *, thaw: bool = False) -> dict[str, Errors]:
    """Stop the containers of pods whose locks the caller holds; return the errors by the pods' ids."""
    busy = {pod.id: [each for each in pod.held() if each.row.status in BUSY] for pod in pods}
    infra = {pod.id: pod.row.infra_id for pod in pods}
    others = [each for found in busy.values() for each in found if each.id != infra[each.row.pod]]
    errors = stop_together(others, timeout, event="stop", thaw=thaw) if others else {}
    by_pod = {pod: {each.id: errors[each.id] for each in found if each.id in errors} for pod, found in busy.items()}
    last = [each for pod, found in busy.items() if not by_pod[pod] for each in found if each.id == infra[pod]]
    # An infra container ends at its signal, so it needs no SIGKILL even with a timeout of 0.
    errors = stop_together(last, timeout or None, event="stop", thaw=thaw) if last else {}
    for each in last:
        if each.id in errors:
            by_pod[each.row.pod][each.id] = errors[each.id]
    return by_pod


def restart(pod: HeldPod) -> dict[str, PodpyError]:
    """Stop a pod's containers and start them again; return the errors by the containers' ids."""
    with pod.locked():
        errors = stop_locked([pod], None)[pod.id]
        if not errors:
            errors = start_locked(pod)
        pod.table.tell(pod.row, "restart")
    wait_for_hooks(pod, errors)
    return errors


def kill(pod: HeldPod, signal: int) -> dict[str, PodpyError]:
    """Send a signal to the running containers; return the errors by the containers' ids.

    Without the pod's lock: who stops the pod holds it as long as a hook preStop takes.
    """
    pod.refresh()
    members = [each for each in pod.held() if each.status in ALIVE]
    # The infra container is last, since the others' network ends with it.
    errors = {**kill_together(members[1:], signal), **kill_together(members[:1], signal)}
    pod.table.tell(pod.row, "kill")
    return {each: error for each, error in errors.items() if not isinstance(error, NoSuchContainerError)}


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
            continue  # a --rm container, which its end has removed
        except PodpyError as error:
            errors[each.id] = error
    return errors
