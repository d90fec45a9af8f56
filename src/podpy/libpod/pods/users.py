"""Removes containers in `rm --all`, or with a network, volume or image by force; an infra one with its whole pod."""

from __future__ import annotations

from podpy.errors import NoSuchPodError
from podpy.libpod.containers.ending.remove import remove
from podpy.libpod.pods.held import HeldPod
from podpy.libpod.pods.remove import remove as remove_pod
from podpy.libpod.pods.table import PodTable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.libpod.containers.held import Held


def remove_user(
    container: Held, *, force: bool = True, volumes: bool = False, timeout: int | None = None, depend: bool = False
) -> None:
    """Remove a container as `ending.remove.remove` does; for an infra container, its whole pod.

    Raises NoSuchContainerError, and as these removals.
    """
    if not (container.row.pod and container.spec.is_infra):
        remove(container, force=force, volumes=volumes, timeout=timeout, depend=depend)
        return
    engine = container.engine
    try:
        remove_pod(HeldPod(engine, PodTable(engine.database).get(container.row.pod)), force=force, timeout=timeout)
    except NoSuchPodError:
        pass  # another call has removed it
