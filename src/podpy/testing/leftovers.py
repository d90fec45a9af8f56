"""Session: whose the things of a test session are, and the removal of what dead sessions have left.

All that a session makes has the label LABEL with the session's name, "PID.STARTED.BOOT" of its process; an image, which
has no labels but its own, has the name in its repository. So whether a session lives is a question to the kernel.
"""

from __future__ import annotations

import os

from podpy import pids
from podpy.errors import PodpyError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import TypeVar

    from podpy.libpod.containers.container import Container
    from podpy.library.runtime import Runtime

    T = TypeVar("T")

LABEL = "podpy.testing.session"
REPOSITORY = "localhost/podpy-testing"


class Session:
    """One process that runs tests, and the containers that it has now."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.pid = os.getpid()
        self.started = pids.start_time(self.pid)
        self.name = f"{self.pid}.{self.started}.{runtime.paths.boot_id[:8]}"
        self.labels = {LABEL: self.name}
        self.containers: list[Container] = []
        self._images = 0

    def image_name(self) -> str:
        """Return a name for another image."""
        self._images += 1
        return f"{REPOSITORY}/{self.name}:{self._images}"


def remove_all_of(runtime: Runtime, name: str) -> None:
    """Remove what the session of this name has made; what can't be removed is left for the next one."""
    chosen = [f"label={LABEL}={name}"]
    _each(runtime.pods.list(chosen), lambda pod: pod.remove(force=True, timeout=0))
    _each(
        runtime.containers.list(chosen, all=True),
        lambda one: one.remove(force=True, volumes=True, timeout=0, depend=True),
    )
    _each(runtime.networks.list(chosen), lambda network: runtime.networks.remove(network.name, force=True))
    _each(runtime.volumes.list(chosen), lambda volume: runtime.volumes.remove(volume.name, force=True))
    names = [text for record in runtime.images.list() for text in record.names]
    _each([text for text in names if text.startswith(f"{REPOSITORY}/{name}:")], runtime.images.remove)


def sweep(runtime: Runtime) -> None:
    """Remove what sessions that have ended have left."""
    boot = runtime.paths.boot_id[:8]
    for name in sorted(_sessions(runtime)):
        pid, started, its_boot = (*name.split("."), "", "")[:3]
        if not (pid.isdigit() and started.isdigit()):
            continue  # not ours
        if its_boot != boot or not pids.is_alive(int(pid), int(started)):
            remove_all_of(runtime, name)


def _sessions(runtime: Runtime) -> set[str]:
    chosen = [f"label={LABEL}"]
    found = {one.spec.labels.get(LABEL, "") for one in runtime.containers.list(chosen, all=True)}
    found |= {pod.spec.labels.get(LABEL, "") for pod in runtime.pods.list(chosen)}
    found |= {network.labels.get(LABEL, "") for network in runtime.networks.list(chosen)}
    names = [text for record in runtime.images.list() for text in record.names]
    found |= {text.removeprefix(f"{REPOSITORY}/").partition(":")[0] for text in names if text.startswith(REPOSITORY)}
    return found


def _each(things: Iterable[T], remove: Callable[[T], object]) -> None:
    for thing in things:
        try:
            remove(thing)
        except PodpyError:
            pass  # it is gone, or the next session tries again
