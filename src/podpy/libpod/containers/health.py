"""A container's health, from its monitor's files (docs/health-and-restart.md).

    runroot/health/ID              the results: Podman's JSON, {"Status":…,"FailingStreak":…,"Log":[…]}
    runroot/health/ID.readiness    likewise of the readiness check: ready, unready
    runroot/health/ID.hook         likewise of the hook that ran last: postStart, preStop
    runroot/health_events/ID.*     changes of the state that aren't in the table of events yet

The monitor writes both by renaming; a reboot removes them.
"""

from __future__ import annotations

import os

from podpy import fastjson, files
from podpy.errors import RuntimeFailedError, StateError
from podpy.libpod.containers.table import RUNNING, STOPPING
from podpy.monitor.files import HOOK, READINESS, health_state
from podpy.record import Record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.libpod.containers.held import Held
    from podpy.libpod.engine import Engine

HEALTHY = "healthy"
UNHEALTHY = "unhealthy"
STARTING = "starting"
UNREADY = "unready"
STOPPED = "stopped"
_TIMED_OUT = -1


def results(engine: Engine, container_id: str, of: str = "") -> dict[str, Any]:
    """Return Podman's HealthCheckResults; empty before the first start, and after a reboot.

    `of`: READINESS or HOOK for those.
    """
    try:
        found = fastjson.loads(files.read(f"{engine.health_directory}/{container_id}{of}"))
        return {"Status": found["Status"], "FailingStreak": found["FailingStreak"], "Log": found["Log"]}
    except (OSError, ValueError, KeyError, TypeError):
        return {"Status": "", "FailingStreak": 0, "Log": None}


def check(container: Held) -> str:
    """Let the monitor run the health check once, and return its result: healthy, unhealthy, starting (the startup check
    failed), stopped (the container ended meanwhile). If there is only a readiness check, it is that one: unready.

    Raises StateError if it can't be run, RuntimeFailedError if it exceeded its timeout.
    """
    from podpy.monitor.health import check_now

    row = container.refresh()
    health = container.spec.health
    if row.status != RUNNING:
        raise StateError(f"container {row.id} is not running")
    if health is None or not health.has_checks:
        raise StateError(
            f"container {row.id} has no defined healthcheck",
            hint="podpy run --health-cmd COMMAND gives a container one",
        )
    engine = container.engine
    before = health_state(engine.health_directory, row.id)
    if not health.is_checked and health.readiness is None and before == HEALTHY:
        return HEALTHY  # there was only a startup check
    code = check_now(engine.run_directory(row.id), row.conmon_pid, row.conmon_start)
    if code == 0:
        return HEALTHY
    now = container.refresh()
    if now.status not in (RUNNING, STOPPING) or now.pid != row.pid:
        return STOPPED
    if code is None:
        raise StateError(
            f"the monitor of container {row.id} doesn't run the health check",
            hint=f"Was it killed? podpy restart {row.name} gives the container another one",
        )
    status, limit = UNHEALTHY, health.timeout
    if health.startup is not None and before == STARTING:
        status, limit = STARTING, health.startup.timeout
    elif not health.is_checked and health.readiness is not None:
        status, limit = UNREADY, health.readiness.timeout
    if code == _TIMED_OUT:
        from podpy.go.time import GoDuration

        raise RuntimeFailedError(f"healthcheck command exceeded timeout of {GoDuration(limit or 0)}")
    return status


def forget(engine: Engine, container_id: str) -> None:
    """Remove the results of a container that is being removed."""
    take_over(engine, container_id)
    for suffix in ("", READINESS, HOOK):
        files.unlink(f"{engine.health_directory}/{container_id}{suffix}")


class Change(Record):
    """One change of a container's health, from its monitor's file."""

    path: str
    container_id: str
    time: int  # nanoseconds since 1970
    status: str
    streak: int
    log: str  # the newest result as JSON, or empty


def take_over(engine: Engine, container_id: str = "") -> int:
    """Move the changes from the monitors' files (of one container, or of all) into the table of events.

    Returns how many there were. A kill in between leaves a file whose event is in the table: it isn't added twice.
    """
    directory = engine.health_events_directory
    try:
        names = [name for name in os.listdir(directory) if name.startswith(container_id) and "new" not in name]
    except FileNotFoundError:
        return 0
    if not names:
        return 0
    changes = sorted(filter(None, (_read(directory, name) for name in names)), key=lambda change: change.time)
    with engine.database.transaction():
        for change in changes:
            engine.table.tell_health(
                change.container_id,
                change.time,
                health_status=change.status,
                health_failing_streak=change.streak,
                health_log=change.log,
            )
    for name in names:
        files.unlink(f"{directory}/{name}")
    return len(changes)


def _read(directory: str, name: str) -> Change | None:
    path = f"{directory}/{name}"
    try:
        found = fastjson.loads(files.read(path))
        return Change(
            path=path,
            container_id=name.partition(".")[0],
            time=int(found["time"]),
            status=str(found["status"]),
            streak=int(found["streak"]),
            log=fastjson.dumps(found["log"]) if found["log"] else "",
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
