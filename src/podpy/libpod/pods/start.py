"""Starts a pod: the infra container, its init containers one after the other, then the others together."""

from __future__ import annotations

from podpy.errors import AlreadyError, NoSuchContainerError, PodpyError, StateError
from podpy.libpod.containers.ending.remove import remove
from podpy.libpod.containers.ending.restart import restart_together
from podpy.libpod.containers.ending.wait import wait_for_end_of
from podpy.libpod.containers.starting.start import start as start_container
from podpy.libpod.containers.starting.start import wait_if_it_goes
from podpy.libpod.containers.starting.started import wait_for_hook, wait_for_startup
from podpy.libpod.containers.table import ALIVE, CREATED, PAUSED
from podpy.libpod.pods.children import each_in_a_child
from podpy.libpod.pods.last_end import stop_if_last
from podpy.libpod.pods.left_behind import left_behind
from podpy.libpod.pods.order import stages
from podpy.notice import warn
from podpy.systemd.scope import leave_session_in_background

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.libpod.containers.held import Held
    from podpy.libpod.pods.held import HeldPod

_ONCE = "once"


def start(pod: HeldPod) -> dict[str, PodpyError]:
    """Start a pod's containers that don't run; return the errors by the containers' ids.

    This process must be in the user's namespaces. A container that needs a failed one isn't started. Raises
    NoSuchPodError, UsageError (a circle), StateError (an init container failed, so no other container was started).
    Containers that run without the infra container that they were started with are restarted.
    """
    with pod.locked():
        errors = start_locked(pod)
    wait_for_hooks(pod, errors)
    stop_if_last(pod.engine, pod.id)  # they may have ended meanwhile
    return errors


def wait_for_hooks(pod: HeldPod, errors: dict[str, PodpyError]) -> None:
    """Wait for the hooks postStart of the containers that have started; add the failed ones' errors to `errors`.

    The caller doesn't hold the pod's lock: a hook may hang, and the pod must be stopped then.
    """
    for each in pod.held():
        if each.spec.post_start and each.id not in errors and each.row.status in ALIVE:
            try:
                wait_for_hook(each)
            except PodpyError as error:
                errors[each.id] = error


def start_locked(pod: HeldPod) -> dict[str, PodpyError]:
    """Start a pod whose lock the caller holds, without waiting for the hooks of what is started last; see `start`."""
    leaving: list[int] = []
    try:
        return _start_all(pod, leaving)
    finally:
        leave_session_in_background(pod.engine.paths, leaving)


def _start_all(pod: HeldPod, leaving: list[int]) -> dict[str, PodpyError]:
    """Start the containers; `leaving` gets the monitors that must leave the login session, which they do together.

    One by one, each takes a fork, and systemd waits for all processors.
    """
    every = pod.held()
    init = [each for each in every if each.spec.init_container]
    others = [each for each in every if not each.spec.init_container]
    ordered = stages(others)
    errors: dict[str, PodpyError] = {}
    pod.table.tell(pod.row, "start")
    infra = [each for each in others if each.id == pod.row.infra_id]
    if infra:
        wait_if_it_goes(infra[0])
        errors = each_in_a_child(pod.engine, infra, lambda each: _start(each, with_pod=True), leaving.extend)
    if not errors:
        errors = _restart_those_left_behind(infra[0], others) if infra else {}
        sidecars = _sidecars(pod, others)
        _run_init_containers(init, sidecars, leaving)
        for stage in ordered:
            ready = [each for each in stage if each not in infra]
            _start_stage(pod, ready, errors, leaving, hook=stage is not ordered[-1])
            for each in stage:
                if each.id in sidecars and each.id not in errors:
                    wait_for_startup(each)
    return errors


def _restart_those_left_behind(infra: Held, members: list[Held]) -> dict[str, PodpyError]:
    """Restart the containers that still run in the namespaces of an earlier run of the infra container."""
    found = left_behind(infra, members)
    if not found:
        return {}
    names = ", ".join(each.name for each in found)
    warn(f"{names}: the pod's infra container had ended, so they are started again, in its new namespaces")
    return restart_together(found, None)


def _start_stage(
    pod: HeldPod, stage: list[Held], errors: dict[str, PodpyError], leaving: list[int], *, hook: bool
) -> None:
    ready = []
    for each in stage:
        failed = next((needed for needed in each.spec.requires if needed in errors), None)
        if failed is None:
            ready.append(each)
        else:
            text = f"container {each.id} wasn't started: container {failed}, which it needs, failed"
            errors[each.id] = StateError(text)
    waiting = [each for each in ready if not _runs(each)]
    errors.update(each_in_a_child(pod.engine, waiting, lambda each: _start(each, hook=hook), leaving.extend))


def _runs(container: Held) -> bool:
    return container.row.status in ALIVE and container.status in ALIVE


def _start(container: Held, *, with_pod: bool = False, hook: bool = True) -> list[int]:
    """Start a container unless it runs; return the pid of its monitor if that must leave the login session."""
    leaving: list[int] = []
    try:
        if container.status == PAUSED:
            raise StateError.improper(f"container {container.id} is paused: unpause it first")
        if container.row.status not in ALIVE:
            start_container(
                container, with_pod=with_pod, hook=hook, outlive=lambda started: leaving.append(started.row.conmon_pid)
            )
    except AlreadyError:
        pass  # another call has started it
    except NoSuchContainerError:
        if not container.spec.remove:
            raise  # else it has ended and was removed
    return leaving


def _sidecars(pod: HeldPod, members: list[Held]) -> dict[str, Held]:
    """Return the pod's sidecars that have a startup check: who comes after them waits for it, as in Kubernetes."""
    names = pod.spec.sidecars
    found = (each for each in members if each.name in names) if names else ()
    return {each.id: each for each in found if each.spec.health is not None and each.spec.health.startup is not None}


def _run_init_containers(containers: list[Held], sidecars: dict[str, Held], leaving: list[int]) -> None:
    """Run init containers one after the other, each to its end. Raises StateError if one fails."""
    for each in containers:
        if each.spec.init_container == _ONCE and each.status != CREATED:
            continue
        for needed in (sidecars[one] for one in each.spec.requires if one in sidecars):
            leaving += _start(needed)
            wait_for_startup(needed)
        leaving += _start(each)
        code = wait_for_end_of(each, each.refresh(), None)
        if code:
            raise StateError(f"init container {each.name} exited with code {code}", hint=f"See: podpy logs {each.name}")
        if each.spec.init_container == _ONCE:
            remove(each, force=True, volumes=True, timeout=None)
