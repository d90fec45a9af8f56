"""`podpy rename`."""

from __future__ import annotations

from podpy.cli.engine import open_runtime

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.cli.parser.options import Options


def run(options: Options) -> int:
    """Give a container another name."""
    with open_runtime(options) as runtime:
        runtime.container(options.container).rename(options.name)
    return 0
