"""What is true of all containers: rows for lists, settled."""

from __future__ import annotations

from podpy.libpod.containers.ending.settle import settle
from podpy.libpod.containers.table import ALIVE, INITIALIZED, STARTING, ContainerRow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.libpod.containers.table import Glance
    from podpy.libpod.engine import Engine

_MAY_HAVE_CHANGED = (*ALIVE, STARTING, INITIALIZED)


def true_rows(engine: Engine, rows: list[ContainerRow] | None = None) -> list[ContainerRow]:
    """Return all containers' rows (or those given) with their true state, oldest first."""
    found = engine.table.all() if rows is None else rows
    return [settle(engine, row) if row.status in _MAY_HAVE_CHANGED else row for row in found]


def true_glances(engine: Engine) -> list[Glance]:
    """Return what the standard columns of a list need of all containers, as they truly are, oldest first."""
    seen = {glance[0]: glance for glance in engine.table.glances()}
    unsure = [identifier for identifier, glance in seen.items() if glance[5] in _MAY_HAVE_CHANGED]
    if unsure:
        true = {row.id: row.glance() for row in true_rows(engine, engine.table.summaries_of(unsure))}
        seen.update(true)
        for identifier in set(unsure).difference(true):  # removed since
            del seen[identifier]
    return [*seen.values()]
