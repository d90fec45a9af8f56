"""The exit policy `stop`: the infra container ends when the last of the others has, but for sidecars, which are stopped
then. Below libpod.containers.

Whoever finishes a container calls this: the monitor's exit command, a call that waits, `stop`; and after a kill -9 of
all of these the next call's repair. The infra container gets a signal, and its own monitor does the rest.
"""

from __future__ import annotations

import os

from podpy import pids
from podpy.errors import NoSuchPodError
from podpy.libpod.containers.table import ALIVE, BUSY, RUNNING, STOPPED_BY_USER
from podpy.libpod.pods.table import PodTable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.libpod.engine import Engine

_SIGTERM = 15


def stop_if_last(engine: Engine, pod_id: str) -> bool:
    """Stop the infra container of a pod whose policy says so, if no other container runs and one has since its start.

    Does nothing while another call has the pod: it will look itself. Returns whether a signal was sent.
    """
    if not engine.database.query(
        "SELECT 1 FROM pods WHERE id = ? AND exit_policy = 'stop' AND infra_id != ''", (pod_id,)
    ):
        return False
    lock = engine.lock(pod_id)
    if not lock.acquire(wait=False):
        return False
    try:
        return _stop(engine, pod_id)
    except NoSuchPodError:  # it was removed just before
        lock.remove()
        return False
    finally:
        lock.release()


def _stop(engine: Engine, pod_id: str) -> bool:
    table = PodTable(engine.database)
    pod = table.get(pod_id)
    members = table.members(pod_id)
    infra = next((each for each in members if each.id == pod.infra_id), None)
    others = [each for each in members if each.id != pod.infra_id]
    if infra is None or infra.status not in ALIVE:
        return False
    busy = [each for each in others if each.status in BUSY]
    sidecars = pod.parsed().sidecars if busy else []
    if any(each.name not in sidecars for each in busy):
        return False
    if not any(each.finished >= infra.started for each in others):
        return False  # none has run yet
    if busy:
        _stop_in_background(engine, [each.id for each in busy])
        return True  # its end comes here again
    row = engine.table.get(infra.id)
    with engine.database.transaction():
        engine.table.note(row.id, stopped_by_user=STOPPED_BY_USER)
        table.tell(pod, "stop")
    return row.status == RUNNING and pids.send_signal(row.pid, row.pid_start, _SIGTERM)


def _stop_in_background(engine: Engine, ids: list[str]) -> None:
    """Start a `podpy stop` of its own for sidecars: that takes their time, and the end of the others isn't theirs."""
    from podpy.monitor.exit_command import own_command
    from podpy.process import in_background

    argv = own_command(engine.paths, [*engine.settings.arguments, "stop", "--ignore", *ids])
    in_background(lambda: os.execv(argv[0], argv))


def waiting(engine: Engine) -> list[str]:
    """Return the ids of pods with that policy, for repair."""
    return [found for (found,) in engine.database.query("SELECT id FROM pods WHERE exit_policy = 'stop'")]
