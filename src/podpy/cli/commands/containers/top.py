"""`podpy top`."""

from __future__ import annotations

import sys

from podpy.cli.engine import open_runtime
from podpy.cli.selection import one

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.cli.parser.options import Options


def run(options: Options) -> int:
    """List the processes of a container, or the fields that can be shown."""
    from podpy.go.table import align
    from podpy.libpod.containers.top import descriptors, is_for_ps, run_ps, top

    if options.list_descriptors:
        print("\n".join(descriptors()))
        return 0
    with open_runtime(options) as runtime:
        container = one(runtime, options, "unable to look up requested container")
        if is_for_ps(options.fields):
            sys.stdout.write(run_ps(container, options.fields))
            return 0
        lines = top(container, options.fields)
    sys.stdout.write(align("".join("\t".join(line) + "\n" for line in lines)))
    return 0
