"""`podpy help`."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.cli.parser.options import Options


def run(options: Options) -> int:
    """Describe a command, or podpy."""
    from podpy.cli.show.help import show_help

    return show_help(" ".join(options.command))
