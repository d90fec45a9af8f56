"""What a killed call has left: the next one goes on with it, or rolls it back."""

from __future__ import annotations

from podpy.libpod.updates import unit
from podpy.libpod.updates.group import told
from podpy.libpod.updates.table import FAILED, PULLING, RESTARTING, ROLLING_BACK, Update, UpdateTable
from podpy.notice import warn
from podpy.systemd import systemctl

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.errors import PodpyError
    from podpy.libpod.engine import Engine
    from podpy.libpod.updates.options import Wanted


def finish_killed(engine: Engine, wanted: Wanted) -> list[PodpyError]:
    """Go on where a killed call has stopped, and return errors of what failed. The caller holds the lock."""
    table = UpdateTable(engine.database)
    groups: dict[str, list[Update]] = {}
    for update in table.unfinished():
        if update.result == PULLING:
            owner = engine.store.images_table.name_owner(update.image)
            if owner in ("", update.former_id):
                table.forget(update)  # nothing has changed yet
                continue
            update = table.change(update, new_id=owner, result=RESTARTING)
        groups.setdefault(update.unit, []).append(update)
    errors: list[PodpyError] = []
    for group in groups.values():
        errors += told(_go_on(engine, group, wanted))
    return errors


def _go_on(engine: Engine, updates: list[Update], wanted: Wanted) -> list[Update]:
    first = updates[0]
    warn(f"{first.unit}: going on with an update that was interrupted")
    if any(update.result == ROLLING_BACK for update in updates):
        running = all(unit.is_running(engine, update, update.former_id) for update in updates)
        return unit.roll_back(engine, updates, wanted, first.error, running=running)
    running = all(unit.is_running(engine, update, update.new_id) for update in updates)
    if not running and systemctl.shown(first.unit, "ActiveState", user=first.of_user) == systemctl.INACTIVE:
        reason = f"interrupted, and {first.unit} was stopped meanwhile"
        return [UpdateTable(engine.database).end(update, FAILED, reason) for update in updates]
    return unit.apply(engine, updates, wanted, running=running)
