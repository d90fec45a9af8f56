"""`podpy init`."""

from __future__ import annotations

from podpy.cli.engine import open_runtime
from podpy.cli.selection import for_each

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.cli.parser.options import Options
    from podpy.libpod.containers.container import Container


def run(options: Options) -> int:
    """Prepare containers, so that a start is only one call of the OCI runtime, and print their names."""
    with open_runtime(options) as runtime:
        return for_each(runtime, options, _initialize, all_states=("created", "exited"))


def _initialize(container: Container) -> None:
    from podpy.libpod.containers.starting.start import initialize

    container.engine.privileged(lambda: initialize(container))
