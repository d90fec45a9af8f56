"""Pausing containers, and letting them go on."""

from __future__ import annotations

from podpy.errors import AlreadyError, StateError
from podpy.libpod.containers.table import PAUSED, RUNNING, ContainerRow, shown_status
from podpy.rootless.cgroups import show_v2

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.libpod.containers.held import Held


def pause(container: Held) -> None:
    """Freeze all processes. Raises StateError if the container isn't running, NotSupportedError without cgroups."""
    with container.locked() as row:
        show_v2()
        if row.status != RUNNING:
            raise _not_frozen(row, PAUSED)
        engine = container.engine
        # The row first: if this call is killed in between, the row says `paused`, and `unpause` still works.
        engine.table.update(row.id, "pause", status=PAUSED)
        try:
            engine.oci_runtime.pause(row.id)
        except BaseException:
            engine.table.update(row.id, "unpause", status=RUNNING)
            raise
        container.row = row.replace(status=PAUSED)


def unpause(container: Held) -> None:
    """Thaw all processes. Raises StateError if the container isn't paused."""
    with container.locked() as row:
        show_v2()
        if row.status != PAUSED:
            raise _not_frozen(row, RUNNING)
        container.engine.oci_runtime.resume(row.id)
        container.engine.table.update(row.id, "unpause", status=RUNNING)
        container.row = row.replace(status=RUNNING)


def _not_frozen(row: ContainerRow, wanted: str) -> StateError:
    if wanted == RUNNING:
        return StateError.improper(f'"{row.id}" is not paused, can\'t unpause')
    if row.status == PAUSED:
        return AlreadyError.improper(f'"{row.id}" is already paused')
    return StateError.improper(f'"{shown_status(row.status, row.started)}" is not running, can\'t pause')
