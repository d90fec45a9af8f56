"""`podpy exec`."""

from __future__ import annotations

import sys

from podpy.cli.engine import open_runtime
from podpy.cli.selection import one
from podpy.errors import EXIT_FAILURE, CommandNotExecutableError, CommandNotFoundError, StateError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.cli.parser.options import Options
    from podpy.libpod.containers.container import Container
    from podpy.libpod.io.exec_options import ExecOptions


def run(options: Options) -> int:
    """Run a command in a running container and return its exit code."""
    from podpy.cli.streams import check_preserved

    check_preserved(options.preserve_fds, options.preserve_fd)
    with open_runtime(options) as runtime:
        container = one(runtime, options)
        wanted = _wanted(options)
        runtime.mark("container found")
        if options.given("wait"):
            _wait_for_start(container, options)
        sys.stdout.flush()
        try:
            if options.detach:
                print(_detached(container, wanted))
                return 0
            return container.exec(wanted)
        finally:
            if options.trace:
                from podpy.cli.show.trace import print_trace

                print_trace(runtime)


def _wait_for_start(container: Container, options: Options) -> None:
    try:
        container.wait(options.wait, conditions=("running",))
    except TimeoutError:
        raise StateError(f"timed out waiting for container: {options.container or container.name}") from None


def _detached(container: Container, wanted: ExecOptions) -> str:
    """Start a command in the background and return its session's id."""
    try:
        return container.exec_detached(wanted)
    except (CommandNotFoundError, CommandNotExecutableError) as error:
        error.exit_code = EXIT_FAILURE  # Podman's, in the background
        raise


def _wanted(options: Options) -> ExecOptions:
    import os

    from podpy.cli.streams import detach_keys
    from podpy.libpod.io.exec_options import ExecOptions
    from podpy.spec.text.environment import environment

    return ExecOptions(
        command=options.command,
        env=environment(options.env, options.env_file, os.environ),
        workdir=options.workdir,
        user=options.user,
        tty=options.tty,
        interactive=options.interactive,
        privileged=options.privileged,
        preserve_fds=options.preserve_fds,
        preserve_fd=options.preserve_fd,
        detach_keys=detach_keys(options) if options.tty else b"",
        session=not options.no_session,
    )
