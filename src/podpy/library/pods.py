"""Pods: `runtime.pods`."""

from __future__ import annotations

from podpy.libpod.pods import manager, pod
from podpy.library.container import Container
from podpy.library.shown import Listed
from podpy.spec.container import ContainerSpec
from podpy.spec.pod import PodSpec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType
    from typing import Self

    from podpy.image.registry.access import PullOptions

_HEADINGS = ("Name", "Id", "State")


class Pod(pod.Pod):
    """A pod. As a context it is removed at the end, with its containers."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        from podpy.errors import NoSuchPodError

        try:
            self.remove(force=True, timeout=0)
        except NoSuchPodError:
            pass

    def containers(self) -> Sequence[Container]:
        """Return the containers, the infra container first."""
        return [Container(self.engine, each.row) for each in self.held()]


class Pods(manager.Pods):
    """The pods of one store."""

    def get(self, name: str) -> Pod:
        """Return a pod by name, id, or beginning of its id. Raises NoSuchPodError, AmbiguousNameError."""
        return Pod(self._engine, super().get(name).row)

    def list(self, filters: Sequence[str] = ()) -> Listed[Pod]:
        """Return the pods that match every filter (podman-pod-ps(1)), oldest first. Raises UsageError."""
        found = [Pod(self._engine, each.row) for each in super().list(filters)]
        return Listed(found, _HEADINGS, lambda each: (each.name, each.id[:12], each.status))

    def create(
        self,
        spec: PodSpec | str,
        pull: PullOptions | None = None,
        *,
        replace: bool = False,
        part_of: str = "",
        network: str = "",
    ) -> Pod:
        """Create a pod without starting it: of a PodSpec, or of this name. `network`: the mode or name of its network.

        Raises UsageError, InUseError, NoSuchImageError.
        """
        if isinstance(spec, str):
            spec = PodSpec(name=spec, container=_infra(network))
        return Pod(self._engine, super().create(spec, pull, replace=replace, part_of=part_of).row)


def _infra(network: str) -> ContainerSpec:
    if not network:
        return ContainerSpec()
    from podpy.spec.text.attachments import parse_networks

    mode, networks = parse_networks([network])
    return ContainerSpec(network=mode, networks=networks)
