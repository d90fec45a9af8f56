"""Removes a pod with all its containers. The next call that changes anything finishes a removal that was killed."""

from __future__ import annotations

import os

from podpy.errors import NoSuchContainerError, NoSuchPodError, PodPartsError, PodpyError, StateError
from podpy.libpod.containers.ending.remove import remove as remove_container
from podpy.libpod.containers.ending.stop import stop_together
from podpy.libpod.containers.held import find
from podpy.libpod.containers.table import BUSY
from podpy.libpod.locks import FileLock
from podpy.libpod.pods.cgroup import discard
from podpy.libpod.pods.held import HeldPod
from podpy.libpod.pods.service import is_used
from podpy.libpod.pods.stop import hurry, stop_locked
from podpy.notice import warn
from podpy.storage import crash_point

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.libpod.containers.held import Held
    from podpy.libpod.engine import Engine


def remove(pod: HeldPod, *, force: bool, timeout: int | None = None) -> None:
    """Remove a pod, its containers and their anonymous volumes; `force` stops them first.

    `timeout`: seconds until a stopped container is killed (None: its own). Raises PodPartsError if one runs,
    NoSuchPodError.
    """
    with pod.locked(lambda: hurry(pod, timeout, thaw=True) if force else None) as lock:
        members = pod.held()
        if not force:
            _refuse_running(pod, members)
        pod.table.begin_removal(pod.id)
        crash_point("pod:removing")
        if force:
            errors = stop_locked([pod], timeout, thaw=True)[pod.id]
            if errors:
                raise next(iter(errors.values()))
        _finish(pod, lock)


def finish_removals(engine: Engine) -> list[str]:
    """Finish removals that killed calls began; return the pods' names. Skips pods whose lock is held."""
    from podpy.libpod.pods.table import PodTable

    finished = []
    for row in PodTable(engine.database).going():
        pod = HeldPod(engine, row)
        lock = engine.lock(pod.id)
        if not lock.acquire(wait=False):
            continue
        try:
            pod.refresh()
            stop_together([each for each in pod.held() if each.row.status in BUSY], 0, thaw=True, quiet=True)
            _finish(pod, lock)
            finished.append(row.name)
        except NoSuchPodError:
            lock.remove()
        except PodpyError as error:
            warn(f"pod {row.name}: its removal could not be finished: {error}")
        finally:
            lock.release()
    return finished


def _refuse_running(pod: HeldPod, members: list[Held]) -> None:
    """Raise PodPartsError, in Podman's words, if a container runs, other than an infra container beside ended ones."""
    running = [each for each in members if each.row.status in BUSY and each.status in BUSY]
    if not running or (len(members) > 1 and all(each.id == pod.row.infra_id for each in running)):
        return
    infra = pod.row.infra_id
    head = f"from pod {pod.id}"
    parts = [
        StateError.improper(
            f"error removing container {each.id} {head}: cannot remove container {each.id} as it is "
            f"{each.row.status} - running or paused containers cannot be removed without force"
        )
        for each in running
        if each.id != infra or len(members) == 1
    ]
    if infra and len(members) > 1:
        text = f"a container that depends on container {infra} still exists: dependency exists"
        parts.append(StateError(f"error removing container {infra} {head}: {text}"))
    raise PodPartsError(
        f"not all containers could be removed {head}: removing pod containers",
        hint=f"Stop it first (podpy pod stop {pod.name}) or use --force",
        parts=parts,
    )


def _finish(pod: HeldPod, lock: FileLock) -> None:
    """Remove a stopped pod: its containers, the infra container last, then its row, cgroup and lock."""
    members = pod.held()
    going = {each.id for each in members}
    failures: list[PodpyError] = []
    for each in [*members[1:], *members[:1]]:
        try:
            remove_container(each, force=True, volumes=True, timeout=0, depend=True, going=going, with_pod=True)
        except NoSuchContainerError:
            continue
        except PodpyError as error:
            failures.append(error)
    if failures:
        raise failures[0]
    crash_point("pod:empty")
    discard(pod.engine, pod.id, pod.spec)
    _remove_id_file(pod)
    pod.table.delete(pod.row)
    lock.remove()
    if (service := pod.spec.service) and not is_used(pod.engine, service):
        _remove_service(pod.engine, service)


def _remove_service(engine: Engine, service: str) -> None:
    """Remove a service container that no pod has any more."""
    try:
        remove_container(find(engine, service), force=True, volumes=True, timeout=0)
    except NoSuchContainerError:
        pass  # another call was faster


def _remove_id_file(pod: HeldPod) -> None:
    """Remove the file of `--pod-id-file`, if it still names this pod."""
    path = pod.spec.pod_id_file
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            if file.read(len(pod.id) + 1).strip() != pod.id:
                return
        os.unlink(path)
    except OSError:
        pass
