"""Clears what killed calls have left of user networks.

    row of an ended container        given back: it was stopped for a restart that never came
    row without its relation         the connection is taken back, or the disconnection finished
    name of a container without row  the resolver forgets it
    former name of a container       the resolver is told the one that it has now
    no row, but the namespace        it ends, and with it the way out, the resolver and all devices

Every changing call looks. What it takes to mend something is imported only then.
"""

from __future__ import annotations

import os

from podpy import files
from podpy.storage.network_rows import NetworkRows

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.libpod.engine import Engine

_ATTACHED = """SELECT DISTINCT container_id, COALESCE(name, '') FROM network_attachments
    LEFT JOIN containers ON id = container_id"""


def repair_networks(engine: Engine) -> list[str]:
    """Mend what there is to mend, and return a line for each."""
    done = []
    database = engine.database
    rows = NetworkRows(database)
    if rows.has_ended():
        with database.transaction():
            rows.give_back()
    if rows.half():
        from podpy.libpod.networks.connecting import finish

        done += finish(engine)
    directory = os.path.join(engine.paths.runroot, "networks")
    if not os.path.lexists(f"{directory}/netns"):
        return done
    attached = dict(database.query(_ATTACHED))
    told = _told(directory)
    if not attached or not attached.keys() >= {container_id for container_id, _ in told}:
        from podpy.network.bridge.attach import clear

        if clear(engine.paths, engine.conf, database):
            done.append("the network namespace of bridges: had no container left")
    renamed = {container_id: name for container_id, name in told if attached.get(container_id, name) not in (name, "")}
    if renamed:
        from podpy.libpod.containers.renaming import finish_renames

        done += finish_renames(engine, renamed)
    return done


def _told(directory: str) -> list[tuple[str, str]]:
    """Return (id, name) of the containers that the resolver knows (podpy.network.bridge.resolver)."""
    try:
        names = os.listdir(f"{directory}/names")
    except FileNotFoundError:
        return []
    lines = [line for name in names for line in files.read_small(f"{directory}/names/{name}").splitlines()[1:]]
    fields = [[*line.split(" "), "", "", ""] for line in lines]
    return [(field[0], field[3].partition(",")[0]) for field in fields]
