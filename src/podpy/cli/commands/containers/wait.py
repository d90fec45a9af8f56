"""`podpy wait`."""

from __future__ import annotations

from podpy.cli.engine import open_runtime
from podpy.cli.selection import chosen
from podpy.cli.show.notice import complain
from podpy.errors import NoSuchContainerError, PodpyError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.cli.parser.options import Options
    from podpy.libpod.containers.container import Container

_ENDED = ("exited", "stopped")


def run(options: Options) -> int:
    """Wait until containers have stopped (or are in another state) and print their exit codes."""
    code = 0
    with open_runtime(options) as runtime:
        for _shown, found in list(chosen(runtime, options)):
            try:
                if isinstance(found, PodpyError):
                    raise found
                print(_wait(found, options.condition), flush=True)
            except NoSuchContainerError as error:
                if options.ignore:
                    print(-1, flush=True)
                    continue
                complain(error)
                code = code or error.exit_code
    return code


def _wait(container: Container, conditions: list[str]) -> int:
    if not conditions or set(conditions) <= set(_ENDED):
        return container.wait()
    from podpy.libpod.containers.ending.wait import wait_for_status

    return wait_for_status(container, conditions)
