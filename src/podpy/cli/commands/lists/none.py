"""Pods: they come later, so the list is empty and no name exists."""

from __future__ import annotations

import sys

from podpy.cli.show.report import is_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.cli.parser.options import Options


def pods(options: Options) -> int:
    """Print the list of pods: its heading, or an empty array."""
    return _empty(options, "POD ID      NAME        STATUS      CREATED     INFRA ID    # OF CONTAINERS")


def exists(options: Options) -> int:
    """Tell that it isn't there: 1."""
    return 1


def _empty(options: Options, heading: str) -> int:
    if is_json(options.format):
        sys.stdout.write("[]\n")
    elif not (options.quiet or options.noheading or options.format):
        sys.stdout.write(heading + "\n")
    return 0
