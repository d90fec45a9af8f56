"""`podpy system service`."""

from __future__ import annotations

import os

from podpy.cli.engine import open_runtime

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.cli.parser.options import Options


def run(options: Options) -> int:
    """Serve the API until nobody has asked anything for --time seconds, or until a signal."""
    from podpy.api.server import serve
    from podpy.errors import UsageError

    if options.time < 0:
        raise UsageError("--time: a time can't be negative", hint="0: the service doesn't end by itself")
    serve(open_runtime(options), options.uri or "", dict(os.environ), idle=options.time)
    return 0
