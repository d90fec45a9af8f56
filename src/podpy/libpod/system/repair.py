"""Finishes or undoes what killed calls have left; every changing call does it first. Nothing here waits for a lock.

Lists settle what they show, and undo what a killed call was making.

    row `removing`               the removal is finished
    row `starting`               set to `running` if the container runs, else to the former state
    row `running`, but ended     set to `exited` with the exit record's code, or an unknown one; with --rm it is removed
    a call that made many things what it made is removed, if it wasn't finished (podpy.libpod.system.unfinished)
    limits that no row has       the row's are set again (podpy.libpod.containers.updating)
    run directory without a row  its network is ended, then it is removed
    graph root's tmp/            storage sweeps it

`podpy system check` does the same, and prints what it found.
"""

from __future__ import annotations

import os
from time import monotonic, time_ns

from podpy.config.paths import EARLIER
from podpy.errors import NoSuchContainerError
from podpy.libpod.containers.ending.cleanup import remove_tree
from podpy.libpod.containers.ending.finish import finish, finish_removals
from podpy.libpod.containers.ending.settle import settle, true_changes
from podpy.libpod.containers.held import find
from podpy.libpod.containers.table import BUSY, INITIALIZED, REMOVING, STOPPED_BY_USER
from podpy.monitor.files import CHANGING_PORTS, UNCOMMITTED

_NOT_ENDED = (*BUSY, INITIALIZED)
_LOOK_AGAIN = 1.0  # seconds
_RESTART_PATIENCE = 10 * 1_000_000_000  # nanoseconds
_EXIT_RECORD_LIFE = 300 * 1_000_000_000  # nanoseconds; Podman keeps exit codes as long

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.libpod.engine import Engine


def repair(engine: Engine) -> list[str]:
    """Repair, and return a line for each repair. Cheap if there is nothing to do. Needs the user's namespaces."""
    engine.looked_at = monotonic()
    done = []
    rows = engine.table.summaries(*BUSY, REMOVING)
    if any(row.status == REMOVING for row in rows):
        done += [f"container {row.id[:12]}: its removal was finished" for row in finish_removals(engine)]
    for row in rows:
        if row.status == REMOVING:
            continue
        settled = settle(engine, row)
        if settled.status != row.status and settled.status not in _NOT_ENDED:
            done.append(f"container {row.id[:12]}: was {row.status}, is {settled.status}")
            _finish(engine, row.id)
    if engine.database.query("SELECT 1 FROM pods LIMIT 1"):
        done += _repair_pods(engine)
    if engine.is_unfinished:
        from podpy.libpod.system.unfinished import undo_killed

        done += undo_killed(engine)
    for container_id in engine.table.left_by_restarts(time_ns() - _RESTART_PATIENCE):
        done.append(f"container {container_id[:12]}: was stopped for a restart that never came")
        engine.table.note(container_id, stopped_by_user=STOPPED_BY_USER)
        _finish(engine, container_id)
    if engine.database.query("SELECT 1 FROM network_attachments LIMIT 1") or engine.has_bridges:
        from podpy.libpod.system.networks import repair_networks

        done += repair_networks(engine)
    if os.path.isdir(engine.health_events_directory):
        from podpy.libpod.containers.health import take_over

        take_over(engine)
    done += _take_back_updates(engine)
    done += _close_half_published(engine)
    done += _remove_strays(engine)
    done += _remove_earlier(engine)
    _sweep_exit_records(engine)
    done += [f"storage: removed {name}" for name in engine.store.sweep().lines]
    return done


def _repair_pods(engine: Engine) -> list[str]:
    """Finish removals of pods that were killed, and keep exit policies; return a line for each repair."""
    from podpy.libpod.pods.last_end import stop_if_last, waiting
    from podpy.libpod.pods.remove import finish_removals

    done = [f"pod {name}: its removal was finished" for name in finish_removals(engine)]
    stopped = [pod_id for pod_id in waiting(engine) if stop_if_last(engine, pod_id)]
    return [*done, *(f"pod {pod_id[:12]}: its last container had ended, so it was stopped" for pod_id in stopped)]


def _finish(engine: Engine, container_id: str) -> None:
    try:
        finish(find(engine, container_id), wait=False)
    except NoSuchContainerError:
        pass  # another call has removed it


def repair_if_needed(engine: Engine) -> bool:
    """Repair if a container is half removed or has ended unnoticed, or a call didn't finish what it makes; return
    whether anything was done.

    Otherwise it costs two look-ups. A call that changes many containers looks again only after a second.
    """
    now = monotonic()
    if now < engine.looked_at + _LOOK_AGAIN:
        return False
    engine.looked_at = now
    for row in engine.table.summaries(*BUSY, REMOVING):
        changes = {} if row.status == REMOVING else true_changes(engine, row, locked=False)
        if changes.get("status", row.status) not in _NOT_ENDED:
            engine.privileged(lambda: repair(engine))
            return True
    if engine.is_unfinished:
        from podpy.libpod.system.unfinished import undo_if_killed

        return undo_if_killed(engine)
    return False


def _sweep_exit_records(engine: Engine) -> None:
    """Remove old exit records. A young one stays: `podpy wait` may still read it for a removed container."""
    busy = None
    oldest = time_ns() - _EXIT_RECORD_LIFE
    for entry in os.scandir(engine.exit_directory):
        try:
            if entry.stat(follow_symlinks=False).st_mtime_ns > oldest:
                continue
            busy = busy if busy is not None else {row.id for row in engine.table.summaries(*BUSY)}
            if entry.name not in busy:
                os.unlink(entry.path)
        except FileNotFoundError:
            continue  # another call is sweeping too


def _take_back_updates(engine: Engine) -> list[str]:
    directory = os.path.join(engine.paths.runroot, "containers")
    names = [name for name in os.listdir(directory) if os.path.exists(f"{directory}/{name}/{UNCOMMITTED}")]
    if not names:
        return []
    from podpy.libpod.containers.updating import take_back

    return [f"container {name[:12]}: an update of its limits was undone" for name in names if take_back(engine, name)]


def _close_half_published(engine: Engine) -> list[str]:
    directory = os.path.join(engine.paths.runroot, "containers")
    names = [name for name in os.listdir(directory) if os.path.exists(f"{directory}/{name}/{CHANGING_PORTS}")]
    if not names:
        return []
    from podpy.libpod.networks.publishing import take_back

    return [
        f"container {name[:12]}: ports that were half published were closed"
        for name in names
        if take_back(engine, name)
    ]


def _remove_earlier(engine: Engine) -> list[str]:
    """Remove files of an earlier boot in the run root: subordinate ids' files, which the first call couldn't remove."""
    done = []
    for name in os.listdir(engine.paths.runroot):
        if name.startswith(EARLIER):
            remove_tree(os.path.join(engine.paths.runroot, name))
            done.append(f"run directory {name}: was an earlier boot's")
    return done


def _remove_strays(engine: Engine) -> list[str]:
    """Remove run directories and locks of containers that aren't in the database."""
    directory = os.path.join(engine.paths.runroot, "containers")
    done = []
    names = os.listdir(directory)
    for name in set(names).difference(engine.table.known(names)):
        lock = engine.lock(name)
        if not lock.acquire(wait=False):
            continue  # it is being created now
        try:
            if not engine.table.has(name):
                _remove_stray(engine, os.path.join(directory, name))
                lock.remove()
                done.append(f"run directory {name[:12]}: belonged to no container")
        finally:
            lock.release()
    return done


def _remove_stray(engine: Engine, path: str) -> None:
    from podpy.network.setup import teardown

    for operation in teardown(path):
        operation.execute()
    remove_tree(path)
