"""Updates: the methods that the command line and the library call.

with Runtime() as runtime:
    outcome = runtime.updates.run(Wanted(dry_run=True))
    print([report.container for report in outcome.reports if report.updated == "pending"])
"""

from __future__ import annotations

import os
from contextlib import contextmanager

from podpy.errors import NoSuchContainerError, NotFoundError, StateError
from podpy.libpod.containers.held import find as find_container
from podpy.libpod.locks import FileLock
from podpy.libpod.updates import tasks, unit
from podpy.libpod.updates.group import Group
from podpy.libpod.updates.killed import finish_killed
from podpy.libpod.updates.options import Outcome, Report
from podpy.libpod.updates.options import Wanted as Wanted  # what callers give to `run`
from podpy.libpod.updates.table import BY_HAND, FAILED, PULLING, ROLLED_BACK, UPDATED, Update, UpdateTable
from podpy.notice import warn
from podpy.systemd import systemctl

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from podpy.image.progress import Progress
    from podpy.libpod.engine import Engine
    from podpy.libpod.updates.tasks import Task


class Updates:
    """The updates of one user's containers. Calls that change something wait for each other."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._table = UpdateTable(engine.database)

    def history(self) -> list[Update]:
        """Return what was updated, oldest first. The newest thousand are kept."""
        return self._table.history()

    def run(self, wanted: Wanted | None = None, *, progress: Callable[[], Progress] | None = None) -> Outcome:
        """Update all containers that ask for it, and return what was done.

        What fails for one doesn't stop the others: the outcome has its error. It begins with what a killed call has
        left.
        """
        wanted = wanted or Wanted()
        if wanted.dry_run:
            return self._run(wanted, progress)
        with self._lock():
            left = finish_killed(self._engine, wanted)
            outcome = self._run(wanted, progress)
            return outcome.replace(errors=[*left, *outcome.errors])

    def _run(self, wanted: Wanted, progress: Callable[[], Progress] | None) -> Outcome:
        from podpy.storage.database.events import tell_if_possible

        engine = self._engine
        by_unit, errors = tasks.find(engine)
        if by_unit:
            tell_if_possible(engine.database, "system", "auto-update", "", "")
        for group in by_unit.values():
            errors += Group(engine, group, wanted, progress).run()
        return Outcome(reports=[_report(task) for group in by_unit.values() for task in group], errors=errors)

    def rollback(self, name: str, wanted: Wanted | None = None) -> Update:
        """Give a container's unit the image back that it had before its last update, and return that.

        Once more: the one before. `auto-update` doesn't take the image again that was given up. If the former image
        doesn't work, the present one comes back. One that was removed here is pulled again by its digest, as `wanted`
        says. Raises NotFoundError (no former image is known), StateError.
        """
        wanted = (wanted or Wanted()).replace(rollback=True)
        with self._lock():
            for error in finish_killed(self._engine, wanted):
                warn(error.message)
            back = self._way_back(name)
            try:
                unit.give_name(self._engine, back, wanted, back.new_id, back.new_digest)
            except BaseException:
                self._table.forget(back)
                raise
            (ended,) = unit.apply(self._engine, [back], wanted)
        if ended.result != UPDATED:
            also = "; its present image is back" if ended.result == ROLLED_BACK else ""
            raise StateError(f"{ended.error}{also}", hint=systemctl.journal(ended.unit, user=ended.of_user))
        return ended

    def _way_back(self, name: str) -> Update:
        """Write the row of a rollback and return it."""
        engine = self._engine
        try:
            container = find_container(engine, name)
            name = container.name
        except NoSuchContainerError:
            container = None  # its unit has failed
        rows = self._table.of(name)
        if container is None and not rows:
            raise NoSuchContainerError(
                f'no container with name or ID "{name}" found: no such container', hint="See: podpy ps -a"
            )
        present = container.row.image_id if container else ""
        if rows and not present:
            present = engine.store.images_table.name_owner(rows[0].image)
        for row in rows:
            if row.new_id == present and row.result in (UPDATED, FAILED) and row.policy != BY_HAND:
                break
        else:
            raise NotFoundError(
                f"no former image of container {name} is known", hint="podpy auto-update --history shows all updates"
            )
        place = tasks.Place(unit=row.unit, manager=row.manager)
        if container is not None and container.status in ("running", "paused"):
            place = tasks.place_of(container)
        return self._table.add(
            row.replace(
                container_id=container.id if container else "",
                unit=place.unit,
                manager=place.manager,
                policy=BY_HAND,
                former_id=present,
                former_digest=row.new_digest,
                new_id=row.former_id,
                new_digest=row.former_digest,
                ended=0,
                result=PULLING,
                error="",
            )
        )

    @contextmanager
    def _lock(self) -> Iterator[None]:
        lock = FileLock(os.path.join(self._engine.paths.runroot, "auto-update.lock"))
        if not lock.acquire(wait=False):
            warn("waiting for another call that updates containers")
            lock.acquire()
        try:
            yield
        finally:
            lock.release()


def _report(task: Task) -> Report:
    return Report(
        unit=task.place.unit,
        container=task.name,
        container_id=task.container_id,
        image=task.image_name,
        policy=task.policy,
        updated=task.status,
    )
