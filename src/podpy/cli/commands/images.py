"""The commands about images that most people use: load, pull, images, rmi, tag, untag."""

from __future__ import annotations

import sys

from podpy.cli.engine import open_runtime
from podpy.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.cli.parse import Options


def load(options: Options) -> int:
    """`podpy load`."""
    from podpy.image.archive import load as load_archive

    source: str | int = options.input or 0
    if source == 0 and sys.stdin is not None and sys.stdin.isatty():
        raise UsageError("cannot read from terminal", hint="Use podpy load -i FILE, or podpy load < FILE")
    with open_runtime(options) as runtime:
        names = runtime.privileged(lambda: load_archive(runtime.store, source))
        runtime.store.close()
    if not options.quiet:
        for name in names:
            print(f"Loaded image: {name}")
    return 0
