"""Starts a pod: the infra container, its init containers one after the other, then the others together."""

from __future__ import annotations

from podpy.errors import AlreadyError, NoSuchContainerError, PodpyError, StateError
from podpy.libpod.containers.ending.remove import remove
from podpy.libpod.containers.ending.wait import wait_for_end_of
from podpy.libpod.containers.starting.start import start as start_container
from podpy.libpod.containers.table import ALIVE, CREATED, PAUSED
from podpy.libpod.pods.children import each_in_a_child
from podpy.libpod.pods.last_end import stop_if_last
from podpy.libpod.pods.order import stages

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.libpod.containers.held import Held
    from podpy.libpod.pods.held import HeldPod

_ONCE = "once"


def start(pod: HeldPod) -> dict[str, PodpyError]:
    """Start a pod's containers that don't run; return the errors by the containers' ids.

    This process must be in the user's namespaces. Those that need one that failed aren't started. Raises
    NoSuchPodError, UsageError (a circle), StateError (an init container failed: then no other one is started).
    """
    with pod.locked():
        errors = start_locked(pod)
    stop_if_last(pod.engine, pod.id)  # they may have ended meanwhile
    return errors


def start_locked(pod: HeldPod) -> dict[str, PodpyError]:
    """Start a pod whose lock the caller holds; see `start`."""
    every = pod.held()
    init = [each for each in every if each.spec.init_container]
    others = [each for each in every if not each.spec.init_container]
    ordered = stages(others)
    errors: dict[str, PodpyError] = {}
    pod.table.tell(pod.row, "start")
    infra = [each for each in others if each.id == pod.row.infra_id]
    if infra:
        errors = each_in_a_child(pod.engine, infra, _start)
    if not errors:
        _run_init_containers(init)
        for stage in ordered:
            _start_stage(pod, [each for each in stage if each not in infra], errors)
    return errors


def _start_stage(pod: HeldPod, stage: list[Held], errors: dict[str, PodpyError]) -> None:
    ready = []
    for each in stage:
        failed = next((needed for needed in each.spec.requires if needed in errors), None)
        if failed is None:
            ready.append(each)
        else:
            text = f"container {each.id} wasn't started: container {failed}, which it needs, failed"
            errors[each.id] = StateError(text)
    errors.update(each_in_a_child(pod.engine, [each for each in ready if not _runs(each)], _start))


def _runs(container: Held) -> bool:
    return container.row.status in ALIVE and container.status in ALIVE


def _start(container: Held) -> None:
    try:
        if container.status == PAUSED:
            raise StateError.improper(f"container {container.id} is paused: unpause it first")
        if container.row.status not in ALIVE:
            start_container(container)
    except AlreadyError:
        pass  # another call was faster
    except NoSuchContainerError:
        if not container.spec.remove:
            raise  # else it has ended, and is gone


def _run_init_containers(containers: list[Held]) -> None:
    """Run init containers one after the other, each to its end. Raises StateError if one fails."""
    for each in containers:
        if each.spec.init_container == _ONCE and each.status != CREATED:
            continue
        _start(each)
        code = wait_for_end_of(each, each.refresh(), None)
        if code:
            raise StateError(f"init container {each.name} exited with code {code}", hint=f"See: podpy logs {each.name}")
        if each.spec.init_container == _ONCE:
            remove(each, force=True, volumes=True, timeout=None)
