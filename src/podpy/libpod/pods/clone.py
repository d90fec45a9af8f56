"""`pod clone`: a new pod with copies of a pod's containers."""

from __future__ import annotations

from podpy.libpod.containers.starting.clone import cloned, free_name
from podpy.libpod.containers.starting.create import create as create_container
from podpy.libpod.pods.create import create
from podpy.libpod.pods.held import HeldPod
from podpy.libpod.pods.remove import remove
from podpy.spec.changes import Changes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.libpod.engine import Engine
    from podpy.libpod.pods.table import PodRow
    from podpy.spec.pod import PodSpec


def clone(engine: Engine, pod: HeldPod, spec: PodSpec) -> PodRow:
    """Create a pod from `spec` (default name: the original's and -clone), with copies of a pod's containers.

    If one can't be created, nothing is. Raises as `create`.
    """
    row = create(engine, spec.replace(name=spec.name or free_name(engine, pod.name), service=""))
    try:
        for each in pod.held():
            if each.id != pod.row.infra_id:
                create_container(engine, cloned(each, Changes(), pod=row.id))
    except BaseException:
        made = HeldPod(engine, row)
        engine.privileged(lambda: remove(made, force=True))
        raise
    return row
