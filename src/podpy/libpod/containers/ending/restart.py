"""Restarts: by the user, and after a container's end when nobody is attached: conmon's exit command comes here.

Restart policies as in podman-run(1): `on-failure[:N]` for codes other than 0, `always`, and `unless-stopped`, which is
`always` as long as the machine runs. A container that the user stopped isn't restarted. podpy's own conmon has waited
before: 100 ms, and twice as long each time that the container ends within ten seconds, up to a minute.
"""

from __future__ import annotations

from podpy.errors import NoSuchContainerError, PodpyError
from podpy.libpod.containers.ending.cleanup import clean_up
from podpy.libpod.containers.ending.finish import for_restart, remove_locked
from podpy.libpod.containers.starting.start import commit_starting, discard_failed_start, start, start_locked
from podpy.libpod.containers.table import ALIVE, EXITED, NO_PROCESS, RESTARTING, STARTING, ContainerRow
from podpy.monitor.files import read_restart_note

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from podpy.libpod.containers.held import Held
    from podpy.monitor.files import RestartNote
    from podpy.spec.container import ContainerSpec

_FIRST_DELAY = 100  # milliseconds; conmon's own, too (restart.c)
_LONGEST_DELAY = 60_000


def after_end(container: Held, *, remove: bool) -> None:
    """Clean up a container that has ended; remove it or start it again where it was created so."""
    try:
        with container.locked() as row:
            if row.status in (*ALIVE, STARTING):
                return
            note = read_restart_note(container.engine.run_directory(row.id))
            if row.status in (EXITED, RESTARTING) and must_restart(container.spec, row, note):
                delay = next_delay(note)
                commit_starting(container, "restart", restarts=row.restarts + 1)
                start_locked(container, restart_delay=delay)
                return
            if row.status == RESTARTING:
                container.engine.table.note(row.id, status=EXITED, **NO_PROCESS)
            if (remove or container.spec.remove) and not for_restart(row):
                remove_locked(container, row, volumes=True)
            else:
                clean_up(container.engine, row)
    except NoSuchContainerError:
        pass


def restart_together(containers: Sequence[Held], timeout: int | None) -> dict[str, PodpyError]:
    """Stop those of the containers that run, together, and start each; return by id why some couldn't be.

    Those that join the namespaces of others among them come when these have been started.
    """
    errors: dict[str, PodpyError] = {}
    left = {each.id: each for each in containers}
    while left:
        free = [each for each in left.values() if not any(owner in left for _kind, owner in each.spec.joins())]
        free = free or [*left.values()]  # no circle can be made, but nothing may hang if there is one
        for each in free:
            del left[each.id]
        _restart(free, timeout, errors)
    return errors


def _restart(containers: list[Held], timeout: int | None, errors: dict[str, PodpyError]) -> None:
    from podpy.libpod.containers.ending.stop import stop_together

    running: list[Held] = []
    others: list[Held] = []
    for each in containers:
        try:
            (running if each.status in ALIVE else others).append(each)
        except PodpyError as error:
            errors[each.id] = error
    errors.update(stop_together(running, timeout, then=_start))
    for each in others:
        try:
            _start(each)
        except PodpyError as error:
            errors[each.id] = error


def _start(container: Held) -> None:
    """Start a container; one with `--rm` whose start fails has ended for good."""
    try:
        start(container, restart=True)
    except BaseException:
        if container.spec.remove:
            discard_failed_start(container)
        raise


def must_restart(spec: ContainerSpec, row: ContainerRow, note: RestartNote | None = None) -> bool:
    """Return whether a container which has ended like this is started again: by its policy, or its health check's word.

    `note`: what the monitor has decided.
    """
    if row.stopped_by_user or (note is not None and note.why == "stop"):
        return False
    if note is not None and note.why == "health":
        return True
    if spec.restart_policy in ("always", "unless-stopped"):
        return True
    if spec.restart_policy != "on-failure" or row.exit_code == 0:
        return False
    return spec.restart_retries == 0 or row.restarts < spec.restart_retries


def next_delay(note: RestartNote | None) -> int:
    """Return how long the monitor of the next start waits if that ends soon, in milliseconds."""
    return _FIRST_DELAY if note is None else max(_FIRST_DELAY, min(2 * note.delay, _LONGEST_DELAY))
