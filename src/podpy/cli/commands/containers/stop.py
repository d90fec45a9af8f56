"""`podpy stop`."""

from __future__ import annotations

from podpy.cli.engine import open_runtime
from podpy.cli.selection import chosen, tell

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.cli.parser.options import Options


def run(options: Options) -> int:
    """Stop containers and print their names."""
    timeout = options.time if options.given("time") else None
    with open_runtime(options) as runtime:
        together = chosen(runtime, options, states=("running", "stopping"))
        return tell(runtime.containers.stop_several(together, timeout, as_service=options.service), options)
