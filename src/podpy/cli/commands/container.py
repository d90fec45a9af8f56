"""`podpy container exists|prune|cleanup`."""

from __future__ import annotations

import sys

from podpy.cli.engine import open_runtime
from podpy.cli.selection import complain, for_each
from podpy.errors import NoSuchContainerError, PodpyError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.cli.parse import Options
    from podpy.libpod.container import Container

_NO_SUCH = 1
_PRUNABLE = ("created", "exited")


def exists(options: Options) -> int:
    """Return 0 if the container exists, 1 if not."""
    with open_runtime(options) as runtime:
        try:
            runtime.container(options.container)
        except NoSuchContainerError:
            return _NO_SUCH
    return 0


def prune(options: Options) -> int:
    """Remove all containers that don't run, and print their ids."""
    if not options.force and not _confirmed("WARNING! This will remove all non running containers."):
        return 0
    with open_runtime(options) as runtime:
        rows = runtime.rows()
        if options.filter:
            from podpy.cli.container_filters import matching

            rows = matching(runtime, rows, options.filter)
        code = 0
        for row in rows:
            if row.status not in _PRUNABLE:
                continue
            try:
                runtime.container(row.id).remove()
                print(row.id)
            except NoSuchContainerError:
                continue  # somebody else removed it
            except PodpyError as error:
                complain(error)
                code = error.exit_code
        return code


def cleanup(options: Options) -> int:
    """Take down what ended containers have left; conmon's exit command. Restarts those whose policy says so."""

    def act(container: Container) -> None:
        from podpy.libpod.restart import after_end

        runtime.privileged(lambda: after_end(container, remove=options.rm))

    with open_runtime(options) as runtime:
        # Whoever is gone already was cleaned up by a faster call: for a script that is no failure.
        options.ignore = True
        return for_each(runtime, options, act)


def _confirmed(warning: str) -> bool:
    print(warning)
    print("Are you sure you want to continue? [y/N] ", end="", flush=True)
    return sys.stdin.readline().strip().lower() in ("y", "yes")
