"""The service container of pods (`kube play --service-container`): it runs for as long as one of them does.

A service manager has one process to watch then: its monitor. Its program is podpy's own, as the infra containers'; a
signal says with which exit code it ends. It goes with the last of its pods. Below libpod.containers.
"""

from __future__ import annotations

from podpy import fastjson, pids
from podpy.errors import NoSuchContainerError
from podpy.libpod.containers.table import BUSY, RUNNING, STOPPED_BY_USER
from podpy.spec.pod import ALL, ANY

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from podpy.libpod.engine import Engine
    from podpy.libpod.pods.held import HeldPod

ARGUMENT = "service"
"""What the program gets, so that SIGUSR1 ends it with a failure (src/conmon_c/pause)."""
_SIGTERM = 15
_SIGUSR1 = 10
_OF_SERVICE = "SELECT id FROM pods WHERE json_extract(spec, '$.service') = ?"
_MEMBERS = f"SELECT status, exit_code, id IN (SELECT infra_id FROM pods) FROM containers WHERE pod IN ({_OF_SERVICE})"


def service_of(engine: Engine, pod_id: str) -> str:
    """Return the id of a pod's service container; "" if it has none, or isn't there."""
    rows = engine.database.query("SELECT json_extract(spec, '$.service') FROM pods WHERE id = ?", (pod_id,))
    return rows[0][0] or "" if rows else ""


def is_used(engine: Engine, service: str) -> bool:
    """Return whether a pod has this service container."""
    return bool(engine.database.query(_OF_SERVICE, (service,)))


def end_services(pods: Iterable[HeldPod]) -> None:
    """End the service containers of pods that were stopped, unless another one of their pods runs."""
    services = {service_of(pod.engine, pod.id): pod.engine for pod in pods}
    for service, engine in services.items():
        if service:
            end_if_over(engine, service)


def end_if_over(engine: Engine, service: str) -> bool:
    """End a service container, if no container of its pods runs any more; return whether a signal was sent.

    Its exit code is 1 if containers have failed: with the policy `any` one of them, with `all` each.
    """
    members = engine.database.query(_MEMBERS, (service,))
    if any(status in BUSY for status, _, _ in members):
        return False
    try:
        row = engine.table.get(service)
    except NoSuchContainerError:
        return False
    if row.status != RUNNING:
        return False
    policy = fastjson.loads(row.spec)["service_exit"]
    failed = [code != 0 for _, code, is_infra in members if not is_infra]
    is_failure = (policy == ANY and any(failed)) or (policy == ALL and bool(failed) and all(failed))
    engine.table.note(row.id, stopped_by_user=STOPPED_BY_USER)
    return bool(pids.send_signal(row.pid, row.pid_start, _SIGUSR1 if is_failure else _SIGTERM))
