"""Events of images and volumes: rows of `events`, written in the transaction of the change.

Containers' events are written by podpy.libpod.containers.table, from their rows.
"""

from __future__ import annotations

from time import time_ns

from podpy import fastjson

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.storage.database.database import Database


def tell(database: Database, kind: str, action: str, identifier: str, name: str, attributes: dict[str, str]) -> None:
    """Write an event; type and action as in podman-events(1). Call it in the transaction of the change."""
    database.execute(
        "INSERT INTO events (time, type, action, id, name, attributes) VALUES (?, ?, ?, ?, ?, ?)",
        (time_ns(), kind, action, identifier, name, fastjson.dumps(attributes)),
    )
