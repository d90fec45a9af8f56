"""`podpy rm`."""

from __future__ import annotations

from podpy.cli.engine import open_runtime
from podpy.cli.selection import chosen, for_each
from podpy.errors import EXIT_FAILURE, NoSuchContainerError, NotFoundError, PodpyError, StateError, UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.cli.parser.options import Options
    from podpy.libpod.runtime import Runtime

_NO_SUCH = 1
_RUNNING = 2


def run(options: Options) -> int:
    """Remove containers and print their names; exit codes as podman-rm(1): 1 no such container, 2 it is running."""
    timeout = options.time if options.given("time") else None
    if timeout is not None and not options.force:
        raise UsageError("--force option must be specified to use the --time option")
    if options.force:
        options.ignore = True  # podman-rm(1): --force implies --ignore
    options.containers = list(dict.fromkeys(options.containers))  # what is named twice is removed once
    with open_runtime(options) as runtime:
        from podpy.libpod.system.repair import repair

        runtime.privileged(lambda: repair(runtime))
        going = _going(runtime, options)
        return for_each(
            runtime,
            options,
            lambda container: container.remove(
                force=options.force, volumes=options.volumes, timeout=timeout, depend=options.depend, going=going
            ),
            code_of=_code_of,
            no_such=_no_such,
        )


def _going(runtime: Runtime, options: Options) -> set[str] | None:
    """Return the ids of the containers that are named together; None: with --all."""
    if options.all:
        return None
    if len(options.containers) < 2:
        return set()
    return {found.id for _, found in chosen(runtime, options) if not isinstance(found, PodpyError)}


def _no_such(name: str) -> PodpyError:
    # Podman's rm, unlike its other commands, looks in the storage, too, whose words these are.
    return NoSuchContainerError(f'no container with ID or name "{name}" found: no such container')


def _code_of(error: PodpyError) -> int:
    if isinstance(error, NotFoundError):
        return _NO_SUCH
    return _RUNNING if isinstance(error, StateError) else EXIT_FAILURE
