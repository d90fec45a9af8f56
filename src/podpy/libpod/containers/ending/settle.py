"""Settles a container's row: makes it true again. The only code that repairs states.

A row may say that a container is running (or starting) although it isn't: it has ended, and conmon has written the exit
record; or conmon was killed, or the machine rebooted, so nobody saw the end; or the podpy call that was starting it was
killed. Nothing here waits: if a lock is held, another call is already changing the state.
"""

from __future__ import annotations

import os
from time import time_ns

from podpy import pids
from podpy.errors import NoSuchContainerError
from podpy.libpod.containers.table import (
    ALIVE,
    CREATED,
    EXITED,
    INITIALIZED,
    NO_PROCESS,
    REMOVING,
    RESTARTING,
    RUNNING,
    STARTING,
    STOPPED_FOR_RESTART,
    ContainerRow,
)
from podpy.libpod.locks import BusyError
from podpy.monitor.files import (
    EXIT_UNKNOWN,
    FIRST_PROCESS,
    MONITOR,
    OOM,
    is_monitor_of,
    read_exit_record,
    read_pidfile,
    read_restart_note,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.libpod.engine import Engine


def settle(engine: Engine, row: ContainerRow, *, locked: bool = False) -> ContainerRow:
    """Return the true row. If it differs and no other call holds the container, commit the change.

    `locked`: the caller holds the container's lock. Without it, a busy container is returned as its row says.
    """
    changes = true_changes(engine, row, locked=locked)
    if not changes:
        return row
    if changes["status"] in (EXITED, CREATED) and _is_to_go(engine, row, changes["status"]):
        changes["status"] = REMOVING
    events = ("died",) if row.status in ALIVE else ()
    if locked:
        engine.table.note(row.id, *events, **changes)
        return row.replace(**changes)
    try:
        with engine.locked(row.id, wait=False) as now:
            if (now.status, now.pid) != (row.status, row.pid):
                return now  # another call was faster
            engine.table.note(row.id, *events, **changes)
    except BusyError:
        return _under_way(engine, row, changes)
    except NoSuchContainerError:
        pass
    return row.replace(**changes)


def _under_way(engine: Engine, row: ContainerRow, changes: dict[str, Any]) -> ContainerRow:
    """Return the row of a container that another call is at just now; `changes`: what this one has found.

    That call may be starting it again: then the files of its last end are gone already, and its row tells more.
    """
    if row.status == STARTING:
        return row
    try:
        now = engine.table.get(row.id)
    except NoSuchContainerError:
        return row.replace(**changes)
    is_same = (now.status, now.pid, now.conmon_pid) == (row.status, row.pid, row.conmon_pid)
    return row.replace(**changes) if is_same else now


def true_changes(engine: Engine, row: ContainerRow, *, locked: bool) -> dict[str, Any]:
    """Return the changes that make the row true; empty if it is true, or if the change needs the lock."""
    same_boot = row.boot_id == engine.paths.boot_id
    if row.status in ALIVE:
        if same_boot and pids.is_alive(row.pid, row.pid_start):
            return {}
        if same_boot and _exit_record_is_coming(engine, row):
            return {}
        return ended(engine, row)
    if row.status == INITIALIZED:
        if not (same_boot and pids.is_alive(row.pid, row.pid_start)):
            return {"status": EXITED if row.started else CREATED, "pid": 0, "pid_start": 0}
        return {"status": RUNNING, "started": time_ns()} if _has_begun(engine, row.id) else {}
    if row.status == RESTARTING:
        if same_boot and pids.is_alive(row.conmon_pid, row.conmon_start):
            return {}
        return {"status": EXITED, **NO_PROCESS, "error": "its monitor ended while it waited to start it again"}
    if row.status == STARTING:
        return _after_a_killed_start(engine, row, same_boot) if locked or _is_free(engine, row.id) else {}
    return {}


def ended(engine: Engine, row: ContainerRow) -> dict[str, Any]:
    """Return the columns of an ended container from its exit record; without one, its exit code is unknown."""
    record = read_exit_record(engine.exit_directory, row.id)
    changes: dict[str, Any] = {"status": EXITED, **NO_PROCESS}
    if _waits_for_restart(engine, row):
        changes = {"status": RESTARTING, "pid": 0, "pid_start": 0}
    if record is None:
        return {**changes, "exit_code": EXIT_UNKNOWN, "finished": time_ns(), "error": "nobody saw it end"}
    oom = record.oom_killed or os.path.exists(os.path.join(engine.run_directory(row.id), OOM))
    # The starting call takes the time shortly after the start: a short-lived container may have ended before.
    finished = max(record.finished, row.started)
    return {**changes, "exit_code": record.exit_code, "finished": finished, "oom_killed": int(oom)}


def _waits_for_restart(engine: Engine, row: ContainerRow) -> bool:
    """Return whether an ended container's monitor is waiting to start it again."""
    note = read_restart_note(engine.run_directory(row.id))
    if note is None or not note.is_waiting or not pids.is_alive(row.conmon_pid, row.conmon_start):
        return False
    found = engine.database.query("SELECT stopped_by_user FROM containers WHERE id = ?", (row.id,))
    return bool(found and not found[0][0])


def _is_to_go(engine: Engine, row: ContainerRow, status: str) -> bool:
    """Return whether this is an ended `--rm` container: the first call that sees it removes it.

    One that has never run is removed only if the call that would start it is dead.
    """
    if status == CREATED and pids.is_alive(row.conmon_pid, row.conmon_start):
        return False
    if not row.remove_at_exit:
        return False
    found = engine.database.query("SELECT stopped_by_user FROM containers WHERE id = ?", (row.id,))
    return bool(found and found[0][0] != STOPPED_FOR_RESTART)


def _exit_record_is_coming(engine: Engine, row: ContainerRow) -> bool:
    # The process has ended; conmon is draining its output and will write the record soon.
    recorded = os.path.exists(os.path.join(engine.exit_directory, row.id))
    return not recorded and pids.is_alive(row.conmon_pid, row.conmon_start)


def _is_free(engine: Engine, container_id: str) -> bool:
    try:
        with engine.locked(container_id, wait=False):
            return True
    except BusyError:
        return False
    except NoSuchContainerError:
        return True


def _has_begun(engine: Engine, container_id: str) -> bool | None:
    from podpy.oci.runtime import has_begun, state_root

    return has_begun(state_root(engine.paths), container_id)


def _after_a_killed_start(engine: Engine, row: ContainerRow, same_boot: bool) -> dict[str, Any]:
    directory = engine.run_directory(row.id)
    pid = read_pidfile(os.path.join(directory, FIRST_PROCESS)) if same_boot else 0
    if os.path.exists(os.path.join(engine.exit_directory, row.id)) and pid:
        return ended(engine, row)
    conmon = read_pidfile(os.path.join(directory, MONITOR)) if same_boot else 0
    has_monitor = is_monitor_of(conmon, row.id)
    if has_monitor and not (pid and pids.start_time(pid)):
        return {}  # the OCI runtime is working, or the exit record is coming: the row will be true soon
    if has_monitor:
        changes = {
            "pid": pid,
            "pid_start": pids.start_time(pid),
            "conmon_pid": conmon,
            "conmon_start": pids.start_time(conmon),
        }
        if _has_begun(engine, row.id) is False:  # `podpy init`, or the first half of a start by another conmon
            return {"status": INITIALIZED, **changes}
        return {"status": RUNNING, **changes, "started": time_ns()}
    if row.started:  # it had run before: its last end still counts
        return {"status": EXITED, "pid": 0, "pid_start": 0}
    return {"status": CREATED, "pid": 0, "pid_start": 0}
