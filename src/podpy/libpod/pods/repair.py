"""What repair does about pods: removals that were killed are finished, and exit policies are kept."""

from __future__ import annotations

from podpy.libpod.pods.last_end import stop_if_last, waiting
from podpy.libpod.pods.remove import finish_removals

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.libpod.engine import Engine


def repair_pods(engine: Engine) -> list[str]:
    """Repair, and return a line for each repair. Waits for no lock."""
    done = [f"pod {name}: its removal was finished" for name in finish_removals(engine)]
    stopped = [pod_id for pod_id in waiting(engine) if stop_if_last(engine, pod_id)]
    return [*done, *(f"pod {pod_id[:12]}: its last container had ended, so it was stopped" for pod_id in stopped)]
