"""RUN: a container of libpod's on the image below, whose own layer becomes the step's."""

from __future__ import annotations

import os
from contextlib import ExitStack

from podpy.build.steps.machine import emulation_hint
from podpy.errors import CommandNotExecutableError, CommandNotFoundError, StepFailedError
from podpy.image.registry.access import PullOptions
from podpy.libpod.caller import Streams
from podpy.libpod.containers.contents import own_layer
from podpy.libpod.containers.ending.remove import remove
from podpy.libpod.containers.starting.create import create
from podpy.libpod.images.making import written_layer
from podpy.libpod.io.foreground import AttachOptions, start_attached
from podpy.rootless.mounts import Privately
from podpy.storage.database.unfinished import CONTAINER, note

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from podpy.libpod.containers.held import Held
    from podpy.libpod.engine import Engine
    from podpy.spec.container import ContainerSpec
    from podpy.storage.images import ImageRecord
    from podpy.storage.layers.writer import LayerWriter

    Output = Callable[[int, bytes], object]

_NO_PULL = PullOptions(policy="never")
_NOT_RUN = 1  # what Podman's build ends with if there is no such command


def run(
    engine: Engine,
    below: ImageRecord,
    spec: ContainerSpec,
    *,
    output: Output,
    work: str,
    finish: Callable[[str], object] | None = None,
    prepare: Callable[[ContainerSpec, ExitStack], ContainerSpec] | None = None,
) -> LayerWriter:
    """Run a command on an image and return what it changed as a layer.

    `spec` says everything but the image. `output` gets what the command writes (1: standard output, 2: standard
    error). `work`: the call that the container is a part of (podpy.libpod.system.unfinished). `finish` is called with
    the directory of the changes before they are packed. `prepare` adds mounts to the spec, in a mount namespace that
    ends with the step; its stack, too.
    Raises StepFailedError with the command's exit code, and what a start raises.
    """
    spec = spec.replace(image=below.id, is_step=True)
    with Privately(), ExitStack() as stack:  # a start moves this process into a namespace that dies with the container
        spec = prepare(spec, stack) if prepare is not None else spec
        places = _places(engine, below, spec)
        held = create(engine, spec, _NO_PULL, also=lambda row: note(engine.database, work, CONTAINER, row.id))
        try:
            code = _ended(held, output)
            if code:
                hint = emulation_hint(below)
                raise StepFailedError(f"while running runtime: exit status {code}", exit_code=code, hint=hint)
            return _layer(held, below, finish, places)
        except CommandNotExecutableError as error:
            raise StepFailedError(f"while running runtime: {error.message}", hint=emulation_hint(below)) from None
        finally:
            remove(held, force=True, volumes=True, timeout=0)


def _ended(held: Held, output: Output) -> int:
    try:
        code = start_attached(held, AttachOptions(Streams(), output=output))
    except CommandNotFoundError as error:
        raise StepFailedError(f"while running runtime: {error.message}", exit_code=_NOT_RUN) from None
    return code or 0


def _places(engine: Engine, below: ImageRecord, spec: ContainerSpec) -> list[str]:
    """Return the paths that the runtime makes for mounts, which are no changes of the command's."""
    if not spec.mounts:
        return []
    from podpy.build.steps.mounts import missing
    from podpy.libpod.images.making import ImageView

    with ImageView(engine.store, below) as view:
        return missing(view.path, [mount.target for mount in spec.mounts])


def _layer(
    held: Held, below: ImageRecord, finish: Callable[[str], object] | None, places: Sequence[str]
) -> LayerWriter:
    store = held.engine.store
    upper = os.path.join(held.engine.directory(held.id), "upper")
    tree = upper if os.path.isdir(upper) else os.path.join(held.engine.directory(held.id), "vfs")
    if places:
        from podpy.build.steps.mounts import remove_places

        remove_places(tree, places)
    if finish is not None:
        finish(tree)
    with held.locked():
        parent = below.layers[-1] if below.layers else ""
        pieces = own_layer.changes(held, ([], []))
        return written_layer(store, parent, pieces, name="the step's layer")
