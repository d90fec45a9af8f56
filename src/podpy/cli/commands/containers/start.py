"""`podpy start`."""

from __future__ import annotations

from podpy.cli.engine import open_runtime
from podpy.cli.selection import chosen, for_each
from podpy.errors import AttachError, PodpyError, StateError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.cli.parser.options import Options
    from podpy.libpod.containers.container import Container
    from podpy.libpod.runtime import Runtime


def run(options: Options) -> int:
    """Start containers and print their names, or start one and attach to it."""
    with open_runtime(options) as runtime:
        if not (options.attach or options.interactive):
            if options.given("sig_proxy") and options.sig_proxy:
                raise UsageError("you cannot use sig-proxy without --attach: invalid argument")
            return for_each(runtime, options, _start, all_states=("created", "exited", "initialized"))
        found = list(chosen(runtime, options))
        if len(found) != 1:
            raise UsageError("you cannot start and attach multiple containers at once")
        container = found[0][1]
        if isinstance(container, PodpyError):
            raise container
        return runtime.privileged(lambda: _attached(runtime, container, options))


def _start(container: Container) -> None:
    from podpy.libpod.containers.table import RUNNING

    if container.status == RUNNING:  # podman-start(1): one that runs already is no error
        return
    try:
        container.start()
    except StateError:
        if container.status != RUNNING:  # else another call was faster
            raise


def _attached(runtime: Runtime, container: Container, options: Options) -> int:
    from podpy.cli.streams import detach_keys, streams
    from podpy.libpod.containers.table import RUNNING
    from podpy.libpod.io.foreground import AttachOptions, attach, start_attached

    how = AttachOptions(
        streams(interactive=options.interactive, attach=[]),
        detach_keys=detach_keys(options),
        sig_proxy=options.sig_proxy is not False,  # podman-start(1): true when attached
    )
    try:
        code = attach(container, how) if container.status == RUNNING else start_attached(container, how)
    except AttachError as error:
        raise AttachError(f"unable to start container {container.id}: {error.message}", hint=error.hint) from error
    return code or 0
