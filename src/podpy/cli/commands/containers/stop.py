"""`podpy stop`."""

from __future__ import annotations

from podpy.cli.engine import open_runtime
from podpy.cli.selection import for_each

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.cli.parser.options import Options


def run(options: Options) -> int:
    """Stop containers and print their names."""
    timeout = options.time if options.given("time") else None
    with open_runtime(options) as runtime:
        return for_each(runtime, options, lambda container: container.stop(timeout), states=("running", "stopping"))
