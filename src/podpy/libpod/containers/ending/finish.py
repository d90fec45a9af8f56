"""Finishes an ended container: releases what it held, and removes it if it was `--rm`.

Each call that sees a container end finishes it before it returns: conmon's exit command, the attached call, `stop`,
`kill`, `wait`, and later any changing call (podpy.libpod.system.repair).
"""

from __future__ import annotations

import os

from podpy import fastjson
from podpy.errors import InUseError, NoSuchContainerError, NotFoundError, PodpyError
from podpy.libpod.containers.ending.cleanup import clean_up, release
from podpy.libpod.containers.held import Held
from podpy.libpod.containers.table import BUSY, EXITED, REMOVING, STOPPED_FOR_RESTART, ContainerRow
from podpy.libpod.locks import BusyError
from podpy.notice import warn
from podpy.plan import perform
from podpy.storage.mounts.root import RemoveContainerLayer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from podpy.libpod.engine import Engine


def finish(container: Held, *, wait: bool = True) -> bool:
    """Finish a container if it has ended; return whether it is finished, and not running.

    With wait=False, do nothing if another call has its lock.
    """
    try:
        with container.locked(wait=wait) as row:
            if row.status in BUSY:
                return False
            if container.spec.remove and row.status in (EXITED, REMOVING) and not for_restart(row):
                remove_locked(container, row, volumes=True)
            else:
                clean_up(container.engine, row)
    except BusyError:
        return False
    except NoSuchContainerError:
        return True
    if row.pod:
        from podpy.libpod.pods.last_end import stop_if_last

        stop_if_last(container.engine, row.pod)
    return True


def for_restart(row: ContainerRow) -> bool:
    """Return whether the container was stopped by a call that will start it again at once."""
    return row.stopped_by_user == STOPPED_FOR_RESTART


def remove_locked(
    container: Held,
    row: ContainerRow,
    *,
    volumes: bool,
    end: dict[str, Any] | None = None,
    check: Callable[[], None] | None = None,
) -> None:
    """Remove an ended container whose lock the caller holds. `end`: columns about its end, if its row lacks them;
    `check` raises if it may not be removed, and is called in the transaction that marks it as being removed.
    """
    engine = container.engine
    engine.database.make_room()
    # With the exit code: a waiter in another process may see only this row.
    events = ("died",) if end and "status" in end else ()
    with engine.database.transaction():
        if check is not None:
            check()
        engine.table.update(row.id, *events, **{"exit_code": row.exit_code, **(end or {}), "status": REMOVING})
    _finish(engine, row, volumes=volumes)
    container.lock.remove()


def finish_removals(engine: Engine) -> list[ContainerRow]:
    """Finish removals that killed calls began, and return those containers' rows.

    Cheap if there are none: one look-up in an index.
    """
    finished = []
    for row in engine.table.with_status(REMOVING):
        container = Held(engine, row)
        try:
            with container.locked(wait=False):
                engine.database.make_room()
                # It is unknown whether `rm -v` began it; a --rm container's removal includes its volumes.
                _finish(engine, row, volumes=bool(row.remove_at_exit))
                container.lock.remove()
                finished.append(row)
        except (BusyError, NoSuchContainerError):
            continue  # another call is doing it, or has done it
        except PodpyError as error:  # one that can't be removed doesn't keep the others' calls from their work
            warn(f"container {row.id[:12]}: its removal could not be finished: {error}")
    return finished


def _finish(engine: Engine, row: ContainerRow, *, volumes: bool) -> None:
    # The row is deleted last: as long as it exists, the next call knows that there is something to finish.
    spec = fastjson.loads(row.spec)
    is_infra = spec.get("is_infra", False)  # its anonymous volumes are its pod's, and mounted in the others
    has_volumes = is_infra or (volumes and any(mount["type"] == "volume" for mount in spec.get("mounts", ())))
    anonymous = engine.volume_table.anonymous_of(row.id) if has_volumes else []
    release(engine, row)
    perform(RemoveContainerLayer(engine.store, row.id))
    if spec.get("health") or spec.get("post_start") or spec.get("pre_stop") or spec.get("deadline"):
        from podpy.libpod.containers import health

        health.forget(engine, row.id)
    if spec.get("cidfile"):
        _remove_cidfile(row, spec["cidfile"])
    engine.table.delete(row.id)
    discard_volumes(engine, anonymous)
    if spec.get("remove_image") and row.started:  # after a mistake in the command, keep the image for the next try
        discard_image(engine, row)


def _remove_cidfile(row: ContainerRow, path: str) -> None:
    """Remove the file of `--cidfile` with the container (podman-run(1)), if it is still this container's."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            if file.read(len(row.id) + 1).strip() != row.id:
                return
        os.unlink(path)
    except OSError:
        pass  # gone, or in a directory that the user may not change any more


def discard_volumes(engine: Engine, names: list[str]) -> None:
    """Remove volumes that no container uses (any more)."""
    for name in names:
        try:
            engine.volume_table.remove(name)
        except (InUseError, NotFoundError):
            pass  # another container uses it, by --volumes-from; or another call removed it


def discard_image(engine: Engine, row: ContainerRow) -> None:
    """Remove the name by which a container's image was asked for, and the image if it has no other one.

    Do nothing if a container uses it: podman-run(1), --rmi.
    """
    if not row.image_id:  # --rootfs
        return
    is_its_name = engine.store.images_table.name_owner(row.image_name) == row.image_id
    name = row.image_name if is_its_name else row.image_id
    try:
        engine.store.remove_image(name)
    except (InUseError, NotFoundError):
        pass
