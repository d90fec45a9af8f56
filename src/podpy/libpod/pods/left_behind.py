"""Containers that an infra container has left behind: it was killed, and they run on in the namespaces that it had.

A new one makes new namespaces, so they are reached by nobody any more. `pod start` starts them again, as a kubelet does
after the end of a sandbox; whatever else starts the infra container says so. Below libpod.containers.
"""

from __future__ import annotations

import os

from podpy.libpod.containers.table import ALIVE
from podpy.notice import warn
from podpy.spec.pod import KINDS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from podpy.libpod.containers.held import Held

_FILES = {field: word for word, field in KINDS.items()}
"""The fields of ContainerSpec that join a namespace → its file in /proc/PID/ns."""


def left_behind(infra: Held, members: Sequence[Held]) -> list[Held]:
    """Return those of a pod's containers that run in namespaces of an earlier run of the infra container."""
    others = [each for each in members if each.id != infra.id and each.row.status in ALIVE and each.status in ALIVE]
    if not others:
        return []
    is_there = infra.status in ALIVE
    return [each for each in others if _joined(each, infra) and not (is_there and _shares(each, infra))]


def tell(infra: Held) -> None:
    """Warn of the containers of the pod that run on without the infra container that was started just now."""
    from podpy.libpod.containers.held import Held

    engine = infra.engine
    found = left_behind(infra, [Held(engine, row) for row in engine.table.of_pod(infra.row.pod)])
    if found:
        names = ", ".join(each.name for each in found)
        warn(
            f"{names}: the pod's infra container had ended, and was started again: they still have its former network "
            "and namespaces until they are started again (podpy pod start POD)"
        )


def _joined(container: Held, infra: Held) -> list[str]:
    return [_FILES[field] for field, owner in container.spec.joins() if owner == infra.id]


def _shares(container: Held, infra: Held) -> bool:
    """Return whether a container is in the namespaces that the infra container has now."""
    try:
        return all(_space(container, kind) == _space(infra, kind) for kind in _joined(container, infra))
    except OSError:
        return True  # it has ended just now: a start looks for itself


def _space(container: Held, kind: str) -> str:
    return os.readlink(f"/proc/{container.row.pid}/ns/{kind}")
