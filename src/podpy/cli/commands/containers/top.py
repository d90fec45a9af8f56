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
    from podpy.libpod.containers.top import descriptors, top

    if options.list_descriptors:
        print("\n".join(descriptors()))
        return 0
    with open_runtime(options) as runtime:
        lines = top(one(runtime, options), _ps_style(options.fields))
    sys.stdout.write(align("".join("\t".join(line) + "\n" for line in lines)))
    return 0


def _ps_style(fields: list[str]) -> list[str]:
    # `podpy top CTR -ef` and `aux` are habits from Docker, whose top is ps(1): the usual columns answer them.
    return [] if fields and all(field.lstrip("-") in ("ef", "aux", "e", "f", "ax", "a") for field in fields) else fields
