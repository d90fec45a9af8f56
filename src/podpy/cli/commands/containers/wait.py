"""`podpy wait`."""

from __future__ import annotations

import sys

from podpy.cli.engine import open_runtime
from podpy.cli.selection import chosen
from podpy.cli.show.notice import complain
from podpy.errors import NoSuchContainerError, PodpyError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.cli.parser.options import Options
    from podpy.libpod.containers.container import Container
    from podpy.libpod.runtime import Runtime


def run(options: Options) -> int:
    """Wait until containers have stopped (or are in another state) and print their exit codes."""
    code = 0
    with open_runtime(options) as runtime:
        found = [container for _, container in chosen(runtime, options)]
        if options.exit_first_match:
            return _first(runtime, found, options)
        for container in found:
            try:
                if isinstance(container, PodpyError):
                    raise container
                print(container.wait(conditions=options.condition, output=sys.stdout.fileno()), flush=True)
            except NoSuchContainerError as error:
                if options.ignore:
                    print(-1, flush=True)
                    continue
                complain(error)
                code = code or error.exit_code
    return code


def _first(runtime: Runtime, found: list[Container | PodpyError], options: Options) -> int:
    """Print the exit code of the container that is the first to be there. One that doesn't exist is, with --ignore."""
    for error in found:
        if isinstance(error, PodpyError):
            if not (options.ignore and isinstance(error, NoSuchContainerError)):
                raise error
            print(-1)
            return 0
    containers = [container for container in found if not isinstance(container, PodpyError)]
    output = sys.stdout.fileno()
    print(runtime.containers.wait_for_first(containers, conditions=options.condition, output=output))
    return 0
