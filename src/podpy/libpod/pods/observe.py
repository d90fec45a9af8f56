"""The processes and the resource usage of a pod's containers."""

from __future__ import annotations

from podpy.errors import StateError
from podpy.libpod.containers.stats import Sampler
from podpy.libpod.containers.table import ALIVE
from podpy.libpod.containers.top import top as top_of_container

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from podpy.libpod.containers.stats import Stats
    from podpy.libpod.engine import Engine
    from podpy.libpod.pods.held import HeldPod


def top(pod: HeldPod, fields: Sequence[str] = ()) -> list[list[str]]:
    """Return a heading and a row for each process of the running containers. Raises StateError if none runs."""
    running = [each for each in pod.held() if each.status in ALIVE]
    if not running:
        raise StateError("pod top can only be used on pods with at least one running container")
    tables = [top_of_container(each, [*fields]) for each in running]
    return [tables[0][0], *(row for table in tables for row in table[1:])]


class PodSampler:
    """Samples the resource usage of pods' running containers."""

    def __init__(self, engine: Engine, pods: Sequence[HeldPod]) -> None:
        self._pods = [*pods]
        self._sampler = Sampler(engine)

    def sample(self) -> list[tuple[str, Stats]]:
        """Return the current usage of each running container, with its pod's id."""
        owners = {each.id: pod.id for pod in self._pods for each in pod.members() if each.status in ALIVE}
        self._sampler.names = [*owners]
        return [(owners[stats.id], stats) for stats in self._sampler.sample()] if owners else []
