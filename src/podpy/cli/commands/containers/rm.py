"""`podpy rm`."""

from __future__ import annotations

from podpy.cli.engine import open_runtime
from podpy.cli.selection import chosen, tell
from podpy.errors import EXIT_FAILURE, NotFoundError, PodpyError, StateError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.cli.parser.options import Options

_NO_SUCH = 1
_RUNNING = 2


def run(options: Options) -> int:
    """Remove containers and print their names; exit codes as podman-rm(1): 1 no such container, 2 it is running."""
    timeout = options.time if options.given("time") else None
    if timeout is not None and not options.force:
        raise UsageError("--force option must be specified to use the --time option")
    if options.force:
        options.ignore = True  # podman-rm(1): --force implies --ignore
    with open_runtime(options) as runtime:
        outcomes = runtime.containers.remove_several(
            chosen(runtime, options),
            every=options.all,
            force=options.force,
            volumes=options.volumes,
            timeout=timeout,
            depend=options.depend,
        )
        return tell(outcomes, options, code_of=_code_of)


def _code_of(error: PodpyError) -> int:
    if isinstance(error, NotFoundError):
        return _NO_SUCH
    return _RUNNING if isinstance(error, StateError) else EXIT_FAILURE
