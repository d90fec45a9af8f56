"""Removing containers because of something else: all go, or a network, volume or image by force. Pods go as a whole."""

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
    """Remove a container as `ending.remove.remove` does; an infra container with its pod.

    Raises NoSuchContainerError, and what those raise.
    """
    if not (container.row.pod and container.spec.is_infra):
        remove(container, force=force, volumes=volumes, timeout=timeout, depend=depend)
        return
    engine = container.engine
    try:
        remove_pod(HeldPod(engine, PodTable(engine.database).get(container.row.pod)), force=force, timeout=timeout)
    except NoSuchPodError:
        pass  # another call was faster
