"""`podpy export`."""

from __future__ import annotations

import os

from podpy.cli.engine import open_runtime
from podpy.cli.streams import require_output
from podpy.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.cli.parser.options import Options

_STDOUT = 1


def run(options: Options) -> int:
    """Write a container's files to a file or to standard output."""
    if ":" in options.output:
        raise UsageError(f"invalid filename (should not contain ':') \"{options.output}\"")
    if not options.output:
        require_output()
        if os.isatty(_STDOUT):
            raise UsageError("refusing to export to terminal. Use -o flag or redirect")
    with open_runtime(options) as runtime:
        runtime.containers.export(options.container, options.output or _STDOUT)
    return 0
