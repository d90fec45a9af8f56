"""`podpy diff`, `container diff`, `image diff`."""

from __future__ import annotations

import sys

from podpy.cli.engine import open_runtime
from podpy.errors import UsageError
from podpy.libpod.system.diff import ADDED, CHANGED, DELETED, diff

TYPE_CHECKING = False
if TYPE_CHECKING:
    from podpy.cli.parser.options import Options

_JSON_NAMES = ((CHANGED, "changed"), (ADDED, "added"), (DELETED, "deleted"))


def run(options: Options) -> int:
    """Print which files of a container or image differ from its parent's, or from another one's."""
    return _diff(options, "all")


def container(options: Options) -> int:
    """Print which files of a container differ from its image's, or from another one's."""
    return _diff(options, "container")


def image(options: Options) -> int:
    """Print which files of an image differ from its parent's, or from another one's."""
    return _diff(options, "image")


def _diff(options: Options, kind: str) -> int:
    from podpy.cli.show import report

    as_json = report.is_json(options.format)
    if options.format and not as_json:
        raise UsageError("only supported value for '--format' is 'json'")
    if len(options.names) > 2:
        raise UsageError("accepts at most two names: what is compared, and with what")
    with open_runtime(options) as runtime:
        names = options.names
        if kind != "image" and options.latest:
            names = [runtime.latest().id]
        changes = diff(runtime, *names, kind=kind)
    if as_json:
        from podpy.go.json import indented
        from podpy.go.template.values import Struct

        lists = {name: [change.path for change in changes if change.kind == kind] for kind, name in _JSON_NAMES}
        sys.stdout.write(indented(Struct({name: paths for name, paths in lists.items() if paths}), "     ") + "\n")
    else:
        sys.stdout.write("".join(f"{change.kind} {change.path}\n" for change in changes))
    return 0
