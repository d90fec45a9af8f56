"""A unit gets new images: it is restarted and watched, and gets its former images back if they don't work."""

from __future__ import annotations

from time import monotonic

from podpy.errors import NoSuchContainerError, NoSuchImageError, PodpyError, StateError
from podpy.libpod.containers.ending.wait import wait_for_end, wait_for_status
from podpy.libpod.containers.health import HEALTHY, UNHEALTHY
from podpy.libpod.containers.held import Held
from podpy.libpod.containers.rows import true_rows
from podpy.libpod.containers.table import ALIVE
from podpy.libpod.updates.table import (
    FAILED,
    RESTARTING,
    ROLLED_BACK,
    ROLLING_BACK,
    UPDATED,
    Update,
    UpdateTable,
)
from podpy.libpod.updates.tasks import LOCAL, unit_of
from podpy.systemd import systemctl

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from podpy.libpod.engine import Engine
    from podpy.libpod.updates.options import Wanted
    from podpy.spec.health import Health

_FIRST_SECONDS = 3.0  # how long a container without a health check is watched
_MARGIN = 30.0  # seconds beyond the longest time in which a health check decides
_SECOND = 1_000_000_000


def apply(engine: Engine, updates: Sequence[Update], wanted: Wanted, *, running: bool = False) -> list[Update]:
    """Restart the unit of these updates, whose names mean the new images, and return them as they ended.

    It has worked if the unit is up, and its containers with a health check are healthy; one without must run for three
    seconds. Else, with `wanted.rollback`, the names mean the former images again, and the unit is restarted with them.
    `running`: the containers run with the new images already, so they are only watched. What the unit does is no error
    here: it is in the rows.
    """
    table = UpdateTable(engine.database)
    updates = [table.change(update, result=RESTARTING) for update in updates]
    unit, of_user = updates[0].unit, updates[0].of_user
    try:
        if not running:
            _restart(unit, of_user)
        _check(engine, updates, {update.number: update.new_id for update in updates})
    except PodpyError as error:
        told = f"restarting unit {unit} during update: {error.message}"
        if wanted.rollback:
            return roll_back(engine, updates, wanted, told)
        return [table.end(update, FAILED, told) for update in updates]
    return [table.end(update, UPDATED) for update in updates]


def roll_back(
    engine: Engine, updates: Sequence[Update], wanted: Wanted, reason: str, *, running: bool = False
) -> list[Update]:
    """Give the names to the former images again, restart the unit, and return the updates as they ended.

    `running`: the containers run with the former images already, so they are only watched.
    """
    table = UpdateTable(engine.database)
    unit, of_user = updates[0].unit, updates[0].of_user
    updates = [table.change(update, result=ROLLING_BACK, error=reason) for update in updates]
    try:
        for update in updates:
            give_name(engine, update, wanted, update.former_id, update.former_digest)
        if not running:
            _restart(unit, of_user)
        _check(engine, updates, {update.number: update.former_id for update in updates})
    except PodpyError as error:
        told = f"{reason}; restarting unit {unit} after rollback: {error.message}"
        return [table.end(update, FAILED, told) for update in updates]
    return [table.end(update, ROLLED_BACK, reason) for update in updates]


def give_name(engine: Engine, update: Update, wanted: Wanted, image_id: str, digest: str) -> None:
    """Let the image's name mean this image, which is pulled again, by its digest, if it was removed.

    Raises NoSuchImageError, and what a pull raises.
    """
    from podpy.libpod.images.manager import Images

    images = Images(engine)
    try:
        images.tag(f"sha256:{image_id}", [update.image])
    except NoSuchImageError:
        if update.policy == LOCAL or not digest:
            raise
        from podpy.image.names.reference import parse

        pulled = images.pull(f"{parse(update.image).name}@{digest}", wanted.access())[0]
        images.tag(f"sha256:{pulled.id}", [update.image])


def is_running(engine: Engine, update: Update, image_id: str) -> bool:
    """Return whether the update's container runs with this image."""
    container = _container(engine, update)
    return container is not None and container.row.image_id == image_id


def _restart(unit: str, of_user: bool) -> None:
    systemctl.forget_failures(unit, user=of_user)  # this start doesn't count among those of StartLimitBurst=
    systemctl.restart(unit, user=of_user)


def _check(engine: Engine, updates: Sequence[Update], image_ids: Mapping[int, str]) -> None:
    """Return when the unit's containers are well. Raises StateError if one isn't, or has another image than it should
    (by the number of the update).
    """
    deadline = monotonic() + _FIRST_SECONDS
    for container in [_with_image(engine, update, image_ids[update.number]) for update in updates]:
        _wait_until_well(container, deadline)


def _with_image(engine: Engine, update: Update, image_id: str) -> Held:
    journal = systemctl.journal(update.unit, user=update.of_user)
    container = _container(engine, update)
    if container is None:
        raise StateError(f"container {update.container} doesn't run", hint=journal)
    if container.row.image_id != image_id:
        raise StateError(
            f"container {update.container} runs with image {container.row.image_id[:12]} and not {image_id[:12]}",
            hint="The unit must make its container anew at each start, from the name of the image",
        )
    return container


def _container(engine: Engine, update: Update) -> Held | None:
    """Return the running container of this name, or the unit's with this image if it has another name each time."""
    rows = [row for row in true_rows(engine) if row.status in ALIVE]
    for row in rows:
        if row.name == update.container:
            return Held(engine, row)
    others = (Held(engine, row) for row in rows if row.image_name == update.image)
    return next((other for other in others if unit_of(other) == update.unit), None)


def _wait_until_well(container: Held, deadline: float) -> None:
    engine, row, health = container.engine, container.row, container.spec.health
    try:
        if health is None or not health.is_checked or not health.interval:
            code = wait_for_end(engine, row, max(0.0, deadline - monotonic()))
        else:
            code = wait_for_status(container, [HEALTHY, UNHEALTHY, "exited"], _longest(health))
            if code < 0 and _health(container) == HEALTHY:
                return
            if code < 0:
                raise StateError(f"container {row.name} is unhealthy", hint=f"podpy why {row.name}")
    except TimeoutError:
        if health is None or not health.is_checked or not health.interval:
            return
        raise StateError(f"container {row.name} isn't healthy after {_longest(health):.0f} seconds") from None
    except NoSuchContainerError:
        raise StateError(f"container {row.name} ended before it was healthy") from None
    raise StateError(f"container {row.name} ended with exit code {code} soon after its start")


def _health(container: Held) -> str:
    from podpy.monitor.files import health_state

    return health_state(container.engine.health_directory, container.id)


def _longest(health: Health) -> float:
    """Return the seconds after which a health check has decided."""
    tries = (health.retries or 1) * ((health.interval or 0) + (health.timeout or 0))
    startup = health.startup
    first = (
        startup.initial_delay + max(startup.retries, startup.successes, 1) * (startup.interval + startup.timeout)
        if startup
        else 0
    )
    return (health.initial_delay + (health.start_period or 0) + first + tries) / _SECOND + _MARGIN
