"""What every changing call does first: finish or undo what killed calls have left. Nothing here waits for a lock.

    row `removing`               the removal is finished
    row `starting`               adopted if the container runs, else as it was before
    row `running` that isn't     ended: its exit record is taken over, or the code is unknown; with --rm it is removed
    run directory without a row  its network is ended, then it is removed
    graph root's tmp/            storage sweeps it

`podpy system check` does the same with everything, and says what it found.
"""

from __future__ import annotations

import os
from time import time_ns

from podpy.errors import NoSuchContainerError
from podpy.libpod.containers.ending.cleanup import release, remove_tree
from podpy.libpod.containers.ending.remove import finish_removals, remove_locked
from podpy.libpod.containers.ending.settle import settle
from podpy.libpod.containers.held import Held
from podpy.libpod.containers.table import ALIVE, STARTING, ContainerRow
from podpy.libpod.locks import BusyError

_EXIT_RECORD_LIFE = 300 * 1_000_000_000  # nanoseconds; Podman keeps exit codes as long

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.libpod.engine import Engine


def repair(engine: Engine) -> list[str]:
    """Repair, and return a line for each thing that was. Cheap if there is nothing. Needs the user's namespaces."""
    done = [f"container {row.id[:12]}: its removal was finished" for row in finish_removals(engine)]
    for row in engine.table.with_status(*ALIVE, STARTING):
        settled = settle(engine, row)
        if settled.status != row.status and settled.status not in (*ALIVE, STARTING):
            done.append(f"container {row.id[:12]}: was {row.status}, is {settled.status}")
            _take_down(engine, settled)
    done += _remove_strays(engine)
    _sweep_exit_records(engine)
    done += [f"storage: removed {name}" for name in engine.store.sweep().lines]
    return done


def _sweep_exit_records(engine: Engine) -> None:
    """Remove the exit records that nobody needs any more: `podpy wait` may still read one of a removed container."""
    busy = None
    oldest = time_ns() - _EXIT_RECORD_LIFE
    for entry in os.scandir(engine.exit_directory):
        try:
            if entry.stat(follow_symlinks=False).st_mtime_ns > oldest:
                continue
            busy = busy if busy is not None else {row.id for row in engine.table.with_status(*ALIVE, STARTING)}
            if entry.name not in busy:
                os.unlink(entry.path)
        except FileNotFoundError:
            continue  # another call sweeps as well


def _take_down(engine: Engine, row: ContainerRow) -> None:
    container = Held(engine, row)
    try:
        with container.locked(wait=False) as now:
            if now.status in (*ALIVE, STARTING):
                return
            if container.spec.remove:
                remove_locked(container, now, volumes=True)
            else:
                release(engine, now)
    except (BusyError, NoSuchContainerError):
        pass  # somebody else is at it, or was faster


def _remove_strays(engine: Engine) -> list[str]:
    """Remove run directories and locks of containers that aren't in the database."""
    directory = os.path.join(engine.paths.runroot, "containers")
    done = []
    for name in os.listdir(directory):
        if engine.table.has(name):
            continue
        lock = engine.lock(name)
        if not lock.acquire(wait=False):
            continue  # being created right now
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
