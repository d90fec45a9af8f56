"""`podpy kill`."""

from __future__ import annotations

from podpy.cli.engine import open_runtime
from podpy.cli.selection import chosen, tell
from podpy.libpod.containers.table import ALIVE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.cli.parser.options import Options


def run(options: Options) -> int:
    """Send a signal to containers and print their names."""
    from podpy.spec.text.values import parse_signal

    number = parse_signal(options.signal)
    with open_runtime(options) as runtime:
        together = chosen(runtime, options, states=ALIVE)
        return tell(runtime.containers.kill_several(together, number), options)
