"""Events: rows of `events`, written in the transaction of the change, so a crash can't part the two.

Whoever owns a row tells what happened to it:

    with database.transaction():
        database.execute("DELETE FROM volumes WHERE name = ?", (name,))
        tell(database, "volume", "remove", name, name, labels)

Containers' events come from their rows: podpy.libpod.containers.table (`update(id, "pause", …)`, or `tell` for what
changes no column). Types and actions are those of podman-events(1). What `more` may say has the keys of Podman's JSON:

    Image  PodID  ContainerExitCode  OOMKilled  network  health_status  health_failing_streak  health_log  Error

and ExecID, which podpy keeps for itself. Read again by event_rows.py; event_journal.py sends them on to the journal.
Nothing is written where containers.conf says events_logger="none".
"""

from __future__ import annotations

from time import time_ns

from podpy import fastjson

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.storage.database.database import Database


def tell(
    database: Database,
    kind: str,
    action: str,
    identifier: str,
    name: str,
    labels: dict[str, str] | None = None,
    **more: Any,
) -> None:
    """Write an event, in the transaction of the change. `labels` are the object's (None: such objects have none)."""
    if not database.begin_event():
        return
    if labels is not None:
        more["Attributes"] = labels
    database.execute(
        "INSERT INTO events (time, type, action, id, name, attributes) VALUES (?, ?, ?, ?, ?, ?)",
        (time_ns(), kind, action, identifier, fastjson.well_formed(name), fastjson.dumps(more)),  # a file's name, say
    )


def tell_if_possible(database: Database, kind: str, action: str, identifier: str, name: str, **more: Any) -> None:
    """Write an event of what has changed no row (a push, an image that couldn't be pulled) in a transaction of its own.

    A full disk or a database that can't be written doesn't make what was done a failure.
    """
    from podpy.errors import StorageError

    try:
        with database.transaction():
            tell(database, kind, action, identifier, name, **more)
    except StorageError:
        pass
