"""`podpy healthcheck run`."""

from __future__ import annotations

from podpy.cli.engine import open_runtime

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.cli.parser.options import Options

_HEALTHY = "healthy"


def run(options: Options) -> int:
    """Run a container's health check now; 1 and a word if it fails."""
    with open_runtime(options) as runtime:
        shown = runtime.container(options.container).check_health()
    if shown == _HEALTHY:
        return 0
    print(shown)
    return 0 if options.ignore_result else 1
