"""`podpy update`."""

from __future__ import annotations

from podpy.cli.engine import open_runtime
from podpy.cli.specgen.update import changes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.cli.parser.options import Options


def run(options: Options) -> int:
    """Change a container and print its id."""
    wanted = changes(options)
    with open_runtime(options) as runtime:
        container = runtime.latest() if options.latest else runtime.container(options.container.removeprefix("/"))
        container.update(wanted)
    print(container.id)
    return 0
