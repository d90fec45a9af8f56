"""A pod's state, in Podman's words, from its containers' states. Pure."""

from __future__ import annotations

from podpy.libpod.containers.table import (
    CREATED,
    EXITED,
    INITIALIZED,
    PAUSED,
    RESTARTING,
    RUNNING,
    STARTING,
    STOPPING,
    shown_status,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from podpy.libpod.pods.table import Member

STATES = ("Created", "Running", "Paused", "Degraded", "Exited", "Stopped", "Dead", "Error")
_RUNS = (RUNNING, STOPPING)
_KNOWN = (CREATED, INITIALIZED, EXITED, RESTARTING, PAUSED, *_RUNS)


def state_of(members: Iterable[Member]) -> str:
    """Return the state of a pod with these containers: one of STATES.

    Running: all run; Degraded: some do; Exited: all have ended; Stopped: some have, and none runs (podman-pod-ps(1)).
    """
    shown = [shown_status(each.status, each.started, each.restarts) for each in members]
    running, ended = _count(shown, _RUNS), _count(shown, (EXITED, RESTARTING))
    if not shown:
        return "Created"
    if running:
        return "Running" if running == len(shown) else "Degraded"
    if ended:
        return "Exited" if ended == len(shown) else "Stopped"
    if _count(shown, (PAUSED,)) == len(shown):
        return "Paused"
    return "Created" if all(status in _KNOWN and status != STARTING for status in shown) else "Error"


def _count(shown: Sequence[str], wanted: Sequence[str]) -> int:
    return sum(status in wanted for status in shown)
