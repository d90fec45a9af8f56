"""`podpy pause`."""

from __future__ import annotations

from podpy.cli.engine import open_runtime
from podpy.cli.selection import for_each

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.cli.parser.options import Options


def run(options: Options) -> int:
    """Freeze all processes of containers and print their names."""
    with open_runtime(options) as runtime:
        return for_each(runtime, options, lambda container: container.pause(), states=("running",))
