"""What one call makes, all of it or nothing, although it is many things: pods, volumes, secrets, files of the host.

    with the call's lock (runroot/locks/ID):
        each thing is noted in the table `unfinished`, in the transaction that makes it (storage.database.unfinished)
        `finish` forgets the notes; or `undo` removes the things, the newest first

If the call is killed its lock is free, and the next call that changes anything undoes it. A volume that a container
has got meanwhile stays, as does a directory or a file that isn't empty.
"""

from __future__ import annotations

import os

from podpy.errors import InUseError, NotFoundError, PodpyError
from podpy.libpod.containers import names
from podpy.notice import warn
from podpy.storage.database.unfinished import CONTAINER, DIRECTORY, FILE, POD, SECRET, VOLUME, note

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.libpod.engine import Engine

_SHORT = 12


class Unfinished:
    """What this call makes. What is created with its `id` as `part_of` belongs to it."""

    def __init__(self, engine: Engine) -> None:
        """Begin: from here on the call's lock is held."""
        self._engine = engine
        self.id = names.new_id()
        self._lock = engine.lock(self.id)
        self._lock.acquire()

    def directory(self, path: str) -> None:
        """Note a directory of the host that is about to be made."""
        note(self._engine.database, self.id, DIRECTORY, path)

    def file(self, path: str) -> None:
        """Note a file of the host that is about to be made."""
        note(self._engine.database, self.id, FILE, path)

    def finish(self) -> None:
        """Keep everything: it is complete."""
        self._engine.database.execute("DELETE FROM unfinished WHERE work = ?", (self.id,))
        self._end()

    def undo(self) -> None:
        """Remove everything. What can't be removed is told; the rest is removed all the same."""
        engine, work = self._engine, self.id
        if engine.database.query("SELECT 1 FROM unfinished WHERE work = ? LIMIT 1", (work,)):
            engine.privileged(lambda: _undo(engine, work))
        self._end()

    def _end(self) -> None:
        self._lock.remove()
        self._lock.release()


def undo_if_killed(engine: Engine) -> bool:
    """Undo what killed calls have left, as a call that is outside of the user's namespaces may; return whether
    anything was. What others are at work on costs a look at each one's lock.
    """
    for (work,) in engine.database.query("SELECT DISTINCT work FROM unfinished"):
        lock = engine.lock(work)
        if lock.acquire(wait=False):
            lock.remove()
            lock.release()
            return bool(engine.privileged(lambda: undo_killed(engine)))
    return False


def undo_killed(engine: Engine) -> list[str]:
    """Undo what killed calls have left; return a line for each thing. Waits for no lock.

    This process must be in the user's namespaces.
    """
    done: list[str] = []
    for (work,) in engine.database.query("SELECT DISTINCT work FROM unfinished"):
        lock = engine.lock(work)
        if not lock.acquire(wait=False):
            continue
        try:
            done += _undo(engine, work)
            lock.remove()
        finally:
            lock.release()
    return done


def _undo(engine: Engine, work: str) -> list[str]:
    done = []
    query = "SELECT number, kind, name FROM unfinished WHERE work = ? ORDER BY number DESC"
    for number, kind, name in engine.database.query(query, (work,)):
        try:
            _REMOVALS[kind](engine, name)
            shown = name[:_SHORT] if kind in (POD, CONTAINER) else name
            done.append(f"{kind} {shown}: was part of a call that didn't finish")
        except (NotFoundError, FileNotFoundError, InUseError):
            pass  # it is gone, or has become somebody's
        except (PodpyError, OSError) as error:
            warn(f"undoing what was made: {error}")
        engine.database.execute("DELETE FROM unfinished WHERE number = ?", (number,))
    return done


def _remove_pod(engine: Engine, name: str) -> None:
    from podpy.libpod.pods.remove import finish_removals
    from podpy.libpod.pods.table import PodTable

    PodTable(engine.database).begin_removal(name)
    finish_removals(engine)


def _remove_container(engine: Engine, name: str) -> None:
    from podpy.libpod.containers.ending.remove import remove
    from podpy.libpod.containers.held import find

    remove(find(engine, name), force=True, volumes=True, timeout=0)


def _remove_volume(engine: Engine, name: str) -> None:
    if engine.volume_table.exists(name):
        engine.volume_table.remove(name)


def _remove_secret(engine: Engine, name: str) -> None:
    from podpy.storage.secrets.table import Secrets

    Secrets(engine.paths, engine.database, engine.caller.environ).remove(name)


def _remove_directory(_engine: Engine, path: str) -> None:
    if os.path.isdir(path) and not os.listdir(path):
        os.rmdir(path)


def _remove_file(_engine: Engine, path: str) -> None:
    if not os.path.getsize(path):
        os.unlink(path)


_REMOVALS = {
    POD: _remove_pod,
    CONTAINER: _remove_container,
    VOLUME: _remove_volume,
    SECRET: _remove_secret,
    DIRECTORY: _remove_directory,
    FILE: _remove_file,
}
