"""`podpy run`."""

from __future__ import annotations

import sys

from podpy.cli.commands.containers.create import progress_maker, pull_options
from podpy.cli.engine import open_runtime
from podpy.cli.streams import check_preserved, check_terminal, detach_keys, streams
from podpy.errors import (
    EXIT_FAILURE,
    EXIT_NOT_EXECUTABLE,
    AttachError,
    InUseError,
    NetworkSetupError,
    OperationError,
    RuntimeFailedError,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.cli.parser.options import Options
    from podpy.libpod.containers.held import Held
    from podpy.libpod.containers.starting.start import Starting
    from podpy.libpod.io.foreground import AttachOptions
    from podpy.libpod.runtime import Runtime

_OF_A_START = (AttachError, InUseError, NetworkSetupError, OperationError, RuntimeFailedError)


def run(options: Options) -> int:
    """Create a container, start it, and (without --detach) wait for it; return its exit code."""
    from podpy.cli.specgen.build import build_spec
    from podpy.libpod.containers.starting.create import create_starting

    check_preserved(options.preserve_fds, options.preserve_fd)
    with open_runtime(options) as runtime:
        spec = build_spec(options)
        runtime.mark("options read")
        if options.explain:
            from podpy.libpod.containers.starting.explain import explain

            print("\n".join(runtime.privileged(lambda: explain(runtime, spec))))
            return 0
        how = None if options.detach else _attach_options(options)
        with create_starting(
            runtime, spec, pull_options(options), replace=options.replace, progress=progress_maker(options)
        ) as starting:
            try:
                return runtime.privileged(lambda: _start(runtime, starting, options, how))
            finally:
                _print_trace(runtime)


def _attach_options(options: Options) -> AttachOptions:
    """Return how this call attaches to the container. Raises UsageError."""
    from podpy.libpod.io.foreground import AttachOptions

    return AttachOptions(
        streams(interactive=options.interactive, attach=options.attach),
        detach_keys=detach_keys(options),
        sig_proxy=options.sig_proxy,
    )


def _start(runtime: Runtime, starting: Starting, options: Options, how: AttachOptions | None) -> int:
    from podpy.libpod.containers.starting.start import discard_failed_start
    from podpy.libpod.system.repair import repair

    container = starting.container
    try:
        repair(runtime)
        if how is None:
            starting.run()
            print(container.id)
            return 0
        check_terminal(tty=options.tty and options.interactive)
        from podpy.libpod.io.foreground import start_attached

        if how.streams.stdout < 0 and how.streams.stderr < 0:  # --attach=stdin
            how.on_start = lambda: print(container.id, flush=True)
        code = start_attached(container, how, starting)
    except BaseException as error:
        if options.rm or options.rmi:
            discard_failed_start(container)
        if isinstance(error, _OF_A_START) and error.exit_code == EXIT_FAILURE:
            error.exit_code = EXIT_NOT_EXECUTABLE  # Podman's; what it looks at before it makes a container stays 125
        raise
    if code is not None and options.rmi:
        _remove_image(runtime, container)
    return code or 0


def _remove_image(runtime: Runtime, container: Held) -> None:
    from podpy.errors import InUseError, NoSuchImageError

    try:
        runtime.images.remove(container.row.image_id)
    except (InUseError, NoSuchImageError):
        pass  # podman-run(1): only when nothing else uses it


def _print_trace(runtime: Runtime) -> None:
    if runtime.trace is None:
        return
    from podpy.cli.show.trace import trace_lines

    sys.stderr.write("".join(line + "\n" for line in trace_lines(runtime.trace)))
