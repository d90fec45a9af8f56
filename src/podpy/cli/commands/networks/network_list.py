"""`podpy network ls`, `network prune`."""

from __future__ import annotations

import sys

from podpy.cli.engine import open_runtime
from podpy.cli.question import agreed, is_asked
from podpy.cli.show.notice import complain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from podpy.cli.parser.options import Options
    from podpy.go.template.values import Struct

_COLUMNS = "{{.ID}}\t{{.Name}}\t{{.Driver}}"
_SHORT = 12
_WARNING = "WARNING! This will remove all networks not used by at least one container.\n"


def ls(options: Options) -> int:
    """`podpy network ls`."""
    from podpy.cli.show import report

    with open_runtime(options) as runtime:
        found = runtime.networks.list(options.filter)
    if options.quiet:
        sys.stdout.write("".join(f"{network.name}\n" for network in found))
        return 0
    rows = [_row(network.as_json(), whole=options.no_trunc) for network in found]
    heading = None if options.noheading else report.headers(_row({"id": ""}, whole=True), ID="network id")
    sys.stdout.write(report.listed(options.format, rows, heading, default=_COLUMNS))
    return 0


def _row(data: dict[str, Any], *, whole: bool) -> Struct:
    """Return a network as a list's template sees it. Labels are one text, as in Podman 6 and Docker."""
    from podpy.go.view import Shown, network_view

    shown = network_view(data)
    labels = data.get("labels", {})
    text = ",".join(f"{name}={labels[name]}" for name in sorted(labels))
    return Shown({**shown, "ID": data["id"] if whole else data["id"][:_SHORT], "Labels": text}, shown.json_form())


def prune(options: Options) -> int:
    """`podpy network prune`: prints the names of the networks that it removed, or (--dry-run) would remove."""
    with open_runtime(options) as runtime:
        if is_asked(options):
            runtime.networks.prunable(options.filter)
        if not agreed(options, _WARNING):
            return 0
        pruned = runtime.networks.prune(options.filter, dry_run=options.dry_run)
    for name in pruned.removed:
        print(name)
    for error in pruned.errors:
        complain(error)
    return pruned.errors[-1].exit_code if pruned.errors else 0
