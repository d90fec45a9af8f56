"""The exit policy `stop`: when a pod's last container has ended, its sidecars are stopped, then its infra container.

Below libpod.containers. Each call that settles a container's end calls this: the monitor's exit command, a waiting
call, `stop`; if all of these were killed, the next call's repair does. The infra container gets a signal, and its own
monitor does the rest.
"""

from __future__ import annotations

import os

from podpy import pids
from podpy.errors import NoSuchPodError
from podpy.libpod.containers.table import ALIVE, BUSY, RUNNING, STOPPED_BY_USER, STOPPED_FOR_RESTART
from podpy.libpod.pods.service import end_if_over, service_of
from podpy.libpod.pods.table import PodTable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.libpod.engine import Engine
    from podpy.libpod.pods.table import Member

_SIGTERM = 15
_ONE_COMES_BACK = f"SELECT 1 FROM containers WHERE pod = ? AND pod != '' AND stopped_by_user = {STOPPED_FOR_RESTART}"


def stop_if_last(engine: Engine, pod_id: str) -> bool:
    """Stop a pod whose policy is `stop` if no other container than the infra one runs, and one has run since its start.

    Does nothing while another call holds the pod's lock: that call checks, too. Returns whether it stops something. If
    nothing of the pod runs any more, its service container ends, unless another of its pods runs.
    """
    if service := service_of(engine, pod_id):
        end_if_over(engine, service)
    if not engine.database.query(
        "SELECT 1 FROM pods WHERE id = ? AND exit_policy = 'stop' AND infra_id != ''", (pod_id,)
    ):
        return False
    table = PodTable(engine.database)
    lock = engine.lock(pod_id)
    seen: list[Member] | None = None
    # Another container's end may come meanwhile, and its call find the lock taken: so look again after the release.
    while table.members(pod_id) != seen:
        if not lock.acquire(wait=False):
            return False
        try:
            seen = table.members(pod_id)
            if _stop(engine, table, pod_id, seen):
                return True
        except NoSuchPodError:  # another call has removed it
            lock.remove()
            return False
        finally:
            lock.release()
    return False


def _stop(engine: Engine, table: PodTable, pod_id: str, members: list[Member]) -> bool:
    pod = table.get(pod_id)
    if engine.database.query(_ONE_COMES_BACK, (pod_id,)):
        return False
    infra = next((each for each in members if each.id == pod.infra_id), None)
    others = [each for each in members if each.id != pod.infra_id]
    if infra is None or infra.status not in ALIVE:
        return False
    busy = [each for each in others if each.status in BUSY]
    sidecars = pod.parsed().sidecars if busy else []
    if any(each.name not in sidecars for each in busy):
        return False
    if not any(each.finished >= infra.started for each in others):
        return False  # none has run since the infra container's start
    if busy:
        _stop_in_background(engine, [each.id for each in busy])
        return True  # their end calls this again
    row = engine.table.get(infra.id)
    with engine.database.transaction():
        engine.table.note(row.id, stopped_by_user=STOPPED_BY_USER)
        table.tell(pod, "stop")
    return row.status == RUNNING and pids.send_signal(row.pid, row.pid_start, _SIGTERM)


def _stop_in_background(engine: Engine, ids: list[str]) -> None:
    """Start a separate `podpy stop` for sidecars: the others' end shouldn't wait for the sidecars' stop time."""
    from podpy.monitor.exit_command import own_command
    from podpy.process import in_background

    argv = own_command(engine.paths, [*engine.settings.arguments, "stop", "--ignore", *ids])
    in_background(lambda: os.execv(argv[0], argv))


def waiting(engine: Engine) -> list[str]:
    """Return the ids of pods with the policy `stop`, for repair."""
    return [found for (found,) in engine.database.query("SELECT id FROM pods WHERE exit_policy = 'stop'")]
