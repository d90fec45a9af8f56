"""`podpy update`."""

from __future__ import annotations

from podpy.cli.engine import open_runtime
from podpy.cli.specgen.update import changes, ports

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.cli.parser.options import Options


def run(options: Options) -> int:
    """Change a container and print its id."""
    wanted, unpublish, publish = changes(options), ports(options.unpublish), ports(options.publish)
    with open_runtime(options) as runtime:
        container = runtime.latest() if options.latest else runtime.container(options.container.removeprefix("/"))
        if wanted.changes_something or not (unpublish or publish):
            container.update(wanted)
        if unpublish:
            container.unpublish(unpublish)
        if publish:
            container.publish(publish)
    print(container.id)
    return 0
