"""`podpy init`."""

from __future__ import annotations

from podpy.cli.engine import open_runtime
from podpy.cli.selection import for_each
from podpy.libpod.containers.container import Container

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.cli.parser.options import Options


def run(options: Options) -> int:
    """Prepare containers, so that a start is only one call of the OCI runtime, and print their names."""
    with open_runtime(options) as runtime:
        return for_each(runtime, options, Container.init, states=("created", "exited"))
