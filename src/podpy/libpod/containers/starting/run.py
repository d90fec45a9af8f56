"""Creates a container and starts it, in one step."""

from __future__ import annotations

from podpy.errors import (
    EXIT_FAILURE,
    EXIT_NOT_EXECUTABLE,
    AttachError,
    InUseError,
    NetworkSetupError,
    OperationError,
    RuntimeFailedError,
)
from podpy.libpod.containers.starting.create import create, create_starting
from podpy.libpod.containers.starting.start import start, start_required
from podpy.libpod.system.repair import repair
from podpy.oci.cgroups import SPLIT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from podpy.image.progress import Progress
    from podpy.image.registry.access import PullOptions
    from podpy.libpod.containers.held import Held
    from podpy.libpod.containers.starting.start import Starting
    from podpy.libpod.engine import Engine
    from podpy.libpod.io.foreground import AttachOptions
    from podpy.spec.container import ContainerSpec

_OF_A_START = (AttachError, InUseError, NetworkSetupError, OperationError, RuntimeFailedError)


def run(
    engine: Engine,
    spec: ContainerSpec,
    pull: PullOptions | None = None,
    options: AttachOptions | None = None,
    *,
    replace: bool = False,
    progress: Callable[[], Progress] | None = None,
    discard: bool = False,
) -> tuple[Held, int | None]:
    """Create and start a container; return it, and its exit code (None: it runs on).

    `options`: attach with these streams until it ends or the user detaches; None: run it in the background. `discard`:
    remove it if its start fails. `replace`, `progress` and errors: as `create` and `start`.
    """
    if spec.requires:
        engine.privileged(lambda: start_required(engine, spec))
    if spec.pod or not engine.access.ends_with_the_call:
        # Two steps here. A library's process holds the lock, and its helper would release it; in a pod, the infra
        # container is started between them.
        held = create(engine, spec, pull, replace=replace, progress=progress)
        return held, engine.privileged(lambda: _start(engine, held, None, options, discard=discard))
    if spec.cgroups == SPLIT:
        from podpy.rootless.cgroups import LeafMove

        engine.leaf_move = LeafMove()
    with create_starting(engine, spec, pull, replace=replace, progress=progress) as starting:
        held = starting.container
        return held, engine.privileged(lambda: _start(engine, held, starting, options, discard=discard))


def _start(
    engine: Engine, container: Held, starting: Starting | None, options: AttachOptions | None, *, discard: bool
) -> int | None:
    try:
        repair(engine)
        if options is not None:
            from podpy.libpod.io.foreground import start_attached

            return start_attached(container, options, starting)
        if starting is None:
            start(container)
        else:
            starting.run()
    except BaseException as error:
        if discard:
            from podpy.libpod.containers.starting.start import discard_failed_start

            discard_failed_start(container)
        if isinstance(error, _OF_A_START) and error.exit_code == EXIT_FAILURE:
            error.exit_code = EXIT_NOT_EXECUTABLE  # Podman's code; errors from before the container exists stay 125
        raise
    return None
