"""Notes of what one call makes, all of it or nothing: in the transaction that makes each thing.

podpy.libpod.system.unfinished begins, finishes and undoes such a call's work.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.storage.database.database import Database

POD, CONTAINER, VOLUME, SECRET = "pod", "container", "volume", "secret"
DIRECTORY, FILE = "directory", "file"  # of the host


def note(database: Database, work: str, kind: str, name: str) -> None:
    """Note what this transaction makes, by its id or name, as a part of `work`; "" is none."""
    if work:
        database.execute("INSERT INTO unfinished (work, kind, name) VALUES (?, ?, ?)", (work, kind, name))
