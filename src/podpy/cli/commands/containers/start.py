"""`podpy start`."""

from __future__ import annotations

from podpy.cli.engine import open_runtime
from podpy.cli.selection import chosen, for_each
from podpy.errors import AttachError, InUseError, NetworkSetupError, PodpyError, UsageError
from podpy.libpod.containers.container import Container

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.cli.parser.options import Options
    from podpy.libpod.runtime import Runtime


def run(options: Options) -> int:
    """Start containers and print their names, or start one and attach to it."""
    with open_runtime(options) as runtime:
        try:
            return _start(runtime, options)
        finally:
            if options.trace:
                from podpy.cli.show.trace import print_trace

                print_trace(runtime)


def _start(runtime: Runtime, options: Options) -> int:
    if not (options.attach or options.interactive):
        if options.given("sig_proxy") and options.sig_proxy:
            raise UsageError("you cannot use sig-proxy without --attach: invalid argument")
        return for_each(runtime, options, _ensure_running, states=("created", "exited", "initialized"))
    found = list(chosen(runtime, options))
    if len(found) != 1:
        raise UsageError("you cannot start and attach multiple containers at once")
    container = found[0][1]
    if isinstance(container, PodpyError):
        raise container
    return _attached(container, options)


def _ensure_running(container: Container) -> None:
    try:
        container.ensure_running()
    except (InUseError, NetworkSetupError) as error:
        error.message = f'unable to start container "{container.id}": {error.message}'
        raise


def _attached(container: Container, options: Options) -> int:
    from podpy.cli.streams import detach_keys, streams
    from podpy.libpod.containers.table import RUNNING
    from podpy.libpod.io.foreground import AttachOptions

    how = AttachOptions(
        streams(interactive=options.interactive, attach=[]),
        detach_keys=detach_keys(options),
        sig_proxy=options.sig_proxy is not False,  # podman-start(1): true when attached
    )
    try:
        code = container.attach(how) if container.status == RUNNING else container.start_attached(how)
    except AttachError as error:
        raise AttachError(f"unable to start container {container.id}: {error.message}", hint=error.hint) from error
    return code or 0
