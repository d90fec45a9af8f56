"""Clears what killed calls have left of user networks.

    row of an ended container        given back: it was stopped for a restart that never came
    row without its relation         the connection is taken back, or the disconnection finished
    name of a container without row  the resolver forgets it
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
    attached = {found for (found,) in database.query("SELECT DISTINCT container_id FROM network_attachments")}
    if _has_leftovers(os.path.join(engine.paths.runroot, "networks"), attached):
        from podpy.network.bridge.attach import clear

        if clear(engine.paths, engine.conf, database):
            done.append("the network namespace of bridges: had no container left")
    return done


def _has_leftovers(directory: str, attached: set[str]) -> bool:
    if not os.path.lexists(f"{directory}/netns"):
        return False
    if not attached:
        return True
    try:
        names = os.listdir(f"{directory}/names")
    except FileNotFoundError:
        return False
    lines = (line for name in names for line in files.read_small(f"{directory}/names/{name}").splitlines()[1:])
    return any(line.partition(" ")[0] not in attached for line in lines)
