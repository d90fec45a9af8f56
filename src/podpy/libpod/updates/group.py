"""The containers of one unit that ask for updates: each is looked at, then the unit is restarted once for all."""

from __future__ import annotations

from podpy.errors import PodpyError, StateError
from podpy.libpod.updates import unit
from podpy.libpod.updates.available import look
from podpy.libpod.updates.table import FAILED, ROLLED_BACK, Update, UpdateTable
from podpy.libpod.updates.tasks import LOCAL
from podpy.notice import warn
from podpy.systemd import systemctl

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from podpy.image.progress import Progress
    from podpy.image.registry.access import PullOptions
    from podpy.libpod.engine import Engine
    from podpy.libpod.updates.available import Newer
    from podpy.libpod.updates.options import Wanted
    from podpy.libpod.updates.tasks import Task

NOT_UPDATED = "false"
PENDING = "pending"


class Group:
    """The containers of one unit."""

    def __init__(
        self, engine: Engine, group: Sequence[Task], wanted: Wanted, progress: Callable[[], Progress] | None
    ) -> None:
        self._engine = engine
        self._tasks = group
        self._wanted = wanted
        self._progress = progress
        self._table = UpdateTable(engine.database)

    def run(self) -> list[PodpyError]:
        """Set each task's status, and return the errors."""
        errors: list[PodpyError] = []
        updates: list[Update] = []
        for task in self._tasks:
            try:
                newer = self._newer(task)
            except PodpyError as error:
                errors.append(_prefixed(f"checking image updates for container {task.container_id}", error))
                continue
            if newer is None:
                task.status = NOT_UPDATED
            elif self._wanted.dry_run:
                task.status = PENDING
            else:
                try:
                    updates += self._fetch(task, newer)
                except PodpyError as error:
                    errors.append(_prefixed(f"updating image for container {task.container_id}", error))
        if updates:
            ended = unit.apply(self._engine, updates, self._wanted)
            for task in self._tasks:  # as Podman: all of them were restarted
                task.status = ended[0].result
            errors += told(ended)
        return errors

    def _newer(self, task: Task) -> Newer | None:
        newer = look(self._engine, task, self._access(task))
        if newer is None or task.policy == LOCAL or self._wanted.try_again:
            return newer
        before = self._table.given_up(task.full_name, newer.id)
        if before is not None:
            warn(
                f"{task.place.unit}: the newest image of {task.image_name} was given up before ({before.unit}); "
                "podpy auto-update --try-again tries it again"
            )
            return None
        return newer

    def _fetch(self, task: Task, newer: Newer) -> list[Update]:
        """Let the image's name mean the newer image, and return the row of the update."""
        update = self._table.add(
            Update(
                container=task.name,
                container_id=task.container_id,
                unit=task.place.unit,
                manager=task.place.manager,
                image=task.full_name,
                policy=task.policy,
                former_id=task.image.id,
                former_digest=task.image.podman_digest or task.image.digest,
                new_id=newer.id,
                new_digest=newer.digest,
            )
        )
        if task.policy == LOCAL:
            return [update]
        from podpy.libpod.images.manager import Images

        try:
            pulled = Images(self._engine).pull(
                task.image_name, self._access(task), progress=self._progress() if self._progress else None
            )[0]
        except PodpyError as error:
            self._table.end(update, FAILED, error.message)
            raise
        return [self._table.change(update, new_id=pulled.id)]

    def _access(self, task: Task) -> PullOptions:
        from podpy.libpod.images.transfer import patient

        return patient(self._engine, self._wanted.access(task.authfile))


def told(updates: Sequence[Update]) -> list[PodpyError]:
    """Warn of what was rolled back, and return the errors of what failed: one for the unit."""
    first = updates[0]
    if first.result == ROLLED_BACK:
        journal = systemctl.journal(first.unit, user=first.of_user)
        warn(f"{first.unit} has its former image again: {first.error} (see: {journal})")
    if first.result != FAILED:
        return []
    return [StateError(first.error, hint=systemctl.journal(first.unit, user=first.of_user))]


def _prefixed(what: str, error: PodpyError) -> PodpyError:
    error.args = (f"{what}: {error.message}",)
    error.message = error.args[0]
    return error
