"""What is waited for after a start, as the kubelet does: the hook postStart, and a sidecar's startup check.

The monitor runs both, and writes their results by renaming; its end ends the waiting, too.
"""

from __future__ import annotations

import os

from podpy.errors import StateError
from podpy.libpod.containers import health
from podpy.monitor.files import HOOK, health_state

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from podpy.libpod.containers.held import Held


def wait_for_hook(container: Held) -> None:
    """Wait until the hook postStart of a container that was started just now has ended. Raises StateError: it failed.

    The monitor ends the container then, and its restart policy decides.
    """
    engine, spec = container.engine, container.spec
    if not spec.post_start or engine.settings.conmon:  # another conmon runs no hooks
        return
    path = f"{engine.health_directory}/{container.id}{HOOK}"
    _wait(container, lambda: os.path.exists(path))
    found = health.results(engine, container.id, HOOK)
    log = found["Log"] or ()
    if found["Status"] == "postStart" and log and log[-1]["ExitCode"]:
        told = f"container {container.id}: its hook postStart has failed with exit code {log[-1]['ExitCode']}"
        raise StateError(
            told, hint=f"See what it said: podpy inspect --format '{{{{json .State.Hook}}}}' {container.name}"
        )


def wait_for_startup(container: Held) -> None:
    """Wait until the startup check of a running container has passed, or the container has ended."""
    engine, checks = container.engine, container.spec.health
    if checks is None or checks.startup is None or engine.settings.conmon:
        return
    container.look_again()
    _wait(container, lambda: health_state(engine.health_directory, container.id) != health.STARTING)


def _wait(container: Held, is_over: Callable[[], bool]) -> None:
    """Wait until something holds that depends on a file of the monitor, or the monitor has ended."""
    from podpy import pids
    from podpy.libpod.io.watch import FileWatch

    row = container.row
    with FileWatch(container.engine.health_directory) as watch:
        while not is_over() and pids.is_alive(row.conmon_pid, row.conmon_start):
            watch.wait(row.conmon_pid, row.conmon_start)
