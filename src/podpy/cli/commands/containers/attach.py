"""`podpy attach`."""

from __future__ import annotations

from podpy.cli.engine import open_runtime
from podpy.cli.selection import one

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.cli.parser.options import Options


def run(options: Options) -> int:
    """Attach to a running container until it ends (its exit code) or the user detaches (0)."""
    from podpy.cli.streams import detach_keys, streams
    from podpy.libpod.io.foreground import AttachOptions

    with open_runtime(options) as runtime:
        container = one(runtime, options)
        interactive = not options.no_stdin and container.spec.stdin_open
        how = AttachOptions(
            streams(interactive=interactive, attach=[]),
            detach_keys=detach_keys(options),
            sig_proxy=options.sig_proxy,
        )
        return container.attach(how) or 0
