"""Pod: the public class of one pod."""

from __future__ import annotations

from podpy.errors import PodPartsError
from podpy.libpod.containers.container import Container
from podpy.libpod.pods.held import HeldPod

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

    from podpy.errors import PodpyError
    from podpy.libpod.io.log_lines import LogLine, LogOptions

    Errors = dict[str, PodpyError]


class Pod(HeldPod):
    """A pod. `row` is a snapshot; `refresh()` updates it.

    Each changing method waits for the pod's lock, then for its containers'. If it fails for some containers, it raises
    PodPartsError with their errors, and the others stay changed.
    """

    def _change(self, work: Callable[[], Errors], doing: str) -> None:
        """Do `work` inside the user's namespaces, after repairing what killed calls left."""
        from podpy.libpod.system.repair import repair_if_needed

        repair_if_needed(self.engine)
        errors = self.engine.privileged(work)
        if errors:
            raise parts_error(self, errors, doing)

    def start(self) -> None:
        """Start the containers that don't run: the infra container, init containers, then the others, in parallel where
        they don't need each other. Raises PodPartsError, UsageError (they require each other in a circle).
        """
        from podpy.libpod.pods.start import start

        self._change(lambda: start(self), "started")

    def stop(self, timeout: int | None = None) -> None:
        """Stop the containers in parallel, the infra one last; `timeout` as in Container.stop. Raises PodPartsError."""
        from podpy.libpod.pods.stop import stop

        self._change(lambda: stop(self, timeout), "stopped")

    def restart(self) -> None:
        """Stop the running containers, then start all. Raises PodPartsError."""
        from podpy.libpod.pods.stop import restart

        self._change(lambda: restart(self), "restarted")

    def kill(self, signal: int = 9) -> None:
        """Send a signal to the running containers' first processes. Raises PodPartsError."""
        from podpy.libpod.pods.stop import kill

        self._change(lambda: kill(self, signal), "killed")

    def pause(self) -> None:
        """Freeze the running containers. Raises PodPartsError."""
        from podpy.libpod.pods.stop import pause

        self._change(lambda: pause(self), "paused")

    def unpause(self) -> None:
        """Thaw the paused containers. Raises PodPartsError."""
        from podpy.libpod.pods.stop import unpause

        self._change(lambda: unpause(self), "unpaused")

    def remove(self, *, force: bool = False, timeout: int | None = None) -> None:
        """Remove the pod, its containers and their anonymous volumes; `force` stops them first, `timeout` as
        in Container.stop. Raises PodPartsError if one runs, NoSuchPodError.
        """
        from podpy.libpod.pods.remove import remove
        from podpy.libpod.system.repair import repair_if_needed

        repair_if_needed(self.engine)
        self.engine.privileged(lambda: remove(self, force=force, timeout=timeout))

    def containers(self) -> Sequence[Container]:
        """Return the containers, the infra container first."""
        return [Container(self.engine, each.row) for each in self.held()]

    def inspect(self) -> dict[str, Any]:
        """Return Podman's InspectPodData of the pod, as plain data."""
        from podpy.libpod.pods.inspect import inspect

        return inspect(self)

    def top(self, fields: Sequence[str] = ()) -> list[list[str]]:
        """Return a heading, and a row for each process of the running containers; see Containers.top."""
        from podpy.libpod.pods.observe import top

        return top(self, fields)

    def logs(self, options: LogOptions | None = None) -> Iterator[tuple[Container, LogLine]]:
        """Yield the lines of the containers' logs by time, each with its container; `follow` isn't supported."""
        from podpy.libpod.io.log_merge import merged

        found = [each for each in self.containers() if each.id != self.row.infra_id]
        for number, line in merged([each.logs(options) for each in found]):
            yield found[number], line


def parts_error(pod: HeldPod, errors: Errors, doing: str) -> PodPartsError:
    """Return the error about some of a pod's containers; `errors` are by their ids."""
    return PodPartsError(f"not all containers of pod {pod.name} could be {doing}", parts=errors.values(), ids=errors)
